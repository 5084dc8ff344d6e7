"""NYISO's CSV files of LBMP: Eastern time without a zone, congestion with the opposite sign, no energy."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from local.documents.prices import Price, level, lines, parts, text

EASTERN: Final = ZoneInfo("America/New_York")
FIVE: Final = timedelta(minutes=5)
_COLUMNS: Final = ("LBMP ($/MWHr)", "Marginal Cost Losses ($/MWHr)", "Marginal Cost Congestion ($/MWHr)")
ZONES: Final = {
    name: 61752 + place
    for place, name in enumerate(("WEST", "GENESE", "CENTRL", "NORTH", "MHK VL", "CAPITL", "HUD VL", "MILLWD",
                                  "DUNWOD", "N.Y.C.", "LONGIL"))
} | {"H Q": 61844, "NPX": 61845, "O H": 61846, "PJM": 61847}  # fmt: skip


def hours(kind: str, of: date, prices: Iterable[Price]) -> tuple[str, bytes]:
    """Name and content of `damlbmp` or `rtlbmp` of zones: hours by their beginning, in their order."""
    rows = [_row(price, f"{price.start.astimezone(EASTERN):%m/%d/%Y %H:%M}", quoted=False) for price in prices]
    return f"{of:%Y%m%d}{kind}_zone.csv", lines([_header(quoted=False), *rows])


def realtime(of: date, prices: Iterable[Price]) -> tuple[str, bytes]:
    """Name and content of the five-minute file of a day, or of a part of it: stamps by the end."""
    rows = [_row(price, _end(price.start), quoted=True) for price in prices]
    return f"{of:%Y%m%d}realtime_zone.csv", lines([_header(quoted=True), *rows])


def _end(start: datetime) -> str:
    return f"{(start + FIVE).astimezone(EASTERN):%m/%d/%Y %H:%M:%S}"


def _header(*, quoted: bool) -> str:
    names = ("Time Stamp", "Name", "PTID", *_COLUMNS)
    return ",".join(f'"{name}"' if quoted else name for name in names)


def _row(price: Price, stamp: str, *, quoted: bool) -> str:
    amounts = parts(price, level(price.start, EASTERN), 2)
    values = (amounts.total, amounts.loss, -amounts.congestion)
    mark = '"' if quoted else ""
    written = ",".join(text(each, 2) for each in values)
    return f"{mark}{stamp}{mark},{mark}{price.node}{mark},{ZONES.get(price.node, 23512)},{written}"
