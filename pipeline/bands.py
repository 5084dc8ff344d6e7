"""Between which prices nothing is suspicious, by market and day: the registry's bands, or those that are set."""

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from pipeline import products
from pipeline.products import Band

Bands = Mapping[str, tuple[Band, ...]]

REGISTERED: Final[Bands] = MappingProxyType(
    {name: market.bands for name, market in products.MARKETS.items() if market.bands}
)
_ONE: Final = re.compile(
    r"(?P<market>[a-z][a-z0-9_]*)@(?P<since>\d{4}-\d\d-\d\d)=(?P<low>-?\d{1,8})\.\.(?P<high>-?\d{1,8})"
)
FORM: Final = "market@day=low..high, such as ercot@2022-01-01=-251..5000, several after commas"


def read(text: str) -> Bands:
    """The bands in force where `text` (`FORM`; empty: nothing) replaces those of the markets that it names.

    Raises `ValueError` that quotes what cannot be read.
    """
    given = dict[str, list[Band]]()
    for each in filter(None, (part.strip() for part in text.split(","))):
        market, band = _band(each)
        given.setdefault(market, []).append(band)
    ordered = {market: tuple(sorted(bands, key=lambda band: band.since)) for market, bands in given.items()}
    return MappingProxyType({**REGISTERED, **ordered})


def _band(text: str) -> tuple[str, Band]:
    found = _ONE.fullmatch(text)
    try:
        band = Band(date.fromisoformat(found["since"]), int(found["low"]), int(found["high"])) if found else None
    except ValueError:
        band = None
    if found is None or band is None or band.low > band.high:
        raise ValueError(f"{text!r} is no band: write {FORM}")
    return found["market"], band
