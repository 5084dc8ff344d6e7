"""The forms in which prices of Henry Hub come, told by a document's first bytes.

Daily spot prices come as `Date,Price`, as FRED's `observation_date,DHHNGSP`, as EIA's table `Day,Henry Hub Natural Gas
Spot Price Dollars per Million Btu` below a few lines of text, and as the answer of EIA's API.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from pipeline import jsontable


class Form(Enum):
    CHAIN = auto()  # JSON: a vendor's chain, one record a contract
    BARS = auto()  # JSON: daily bars of the continuous front contract
    STRIPS = auto()  # CSV: settlements by nearby position, a row a date
    SPOT = auto()  # CSV: daily spot prices
    EIA = auto()  # JSON: the answer of EIA's API for the daily spot price
    CALENDAR = auto()  # CSV: contract calendars and holidays, no prices
    MEANS = auto()  # CSV: means of weeks, months or years, no prices of days


PRODUCTS: Final[Mapping[Form, str]] = {
    Form.CHAIN: "futures", Form.BARS: "futures", Form.STRIPS: "futures", Form.SPOT: "spot", Form.EIA: "spot",
}  # fmt: skip
SERIES: Final = "RNGWHHD"  # EIA's daily spot price
NEARBY: Final = re.compile(r"NG(?!00)[0-9]{2}", re.IGNORECASE)
DATE: Final = re.compile(r"date|day|observation_date", re.IGNORECASE)

_PERIOD: Final = re.compile(r"week of|week|month|year", re.IGNORECASE)
_PRICE: Final = re.compile(r"price|dhhngsp|henry hub natural gas spot price.*", re.IGNORECASE)
_CHAINED: Final = re.compile(rb'"cmeCode"\s*:\s*"NG')
_NAMED: Final = re.compile(r"henry[ _-]?hub|natural[ _-]?gas|(?:^|[^a-z])ng(?:[^a-z]|$)|rngwhhd|dhhngsp", re.IGNORECASE)
_CALENDARS: Final = (["cmdty", "tick.prefix"], ["nymex", "ice"])
_FIRST: Final = 12  # lines among which the header is: EIA's tables have five above theirs


def form(head: bytes) -> Form | None:
    """The form by the first bytes; null for none of them."""
    return _json_form(head) if jsontable.is_json(head) else _csv_form(_names(head))


def is_ours(form: Form, name: str, head: bytes) -> bool:
    """The document is of Henry Hub: by its columns, by what stands above them, else by the file's name."""
    if form in {Form.STRIPS, Form.EIA, Form.CALENDAR}:
        return True
    if form is Form.CHAIN and _CHAINED.search(head):
        return True
    above = " ".join(cell for names in _names(head) for cell in names) if form in {Form.SPOT, Form.MEANS} else ""
    return _NAMED.search(above) is not None or _NAMED.search(name) is not None


def lines_above(content: bytes) -> int:
    """How many lines stand above the header of daily spot prices."""
    return next((place for place, names in enumerate(_names(content)) if _is_header(names, DATE)), 0)


def _json_form(head: bytes) -> Form | None:
    if SERIES.encode() in head and b'"period"' in head:
        return Form.EIA
    if b'"cmeCode"' in head:
        return Form.CHAIN
    return Form.BARS if all(name in head for name in (b'"data"', b'"date"', b'"close"')) else None


def _csv_form(lines: list[list[str]]) -> Form | None:
    first = next((names for names in lines if any(names)), [])
    if [name.lower() for name in first[:2]] in _CALENDARS:
        return Form.CALENDAR
    if any(NEARBY.fullmatch(name) for name in first):
        return Form.STRIPS
    if any(_is_header(names, DATE) for names in lines):
        return Form.SPOT
    return Form.MEANS if any(_is_header(names, _PERIOD) for names in lines) else None


def _names(head: bytes) -> list[list[str]]:
    """The cells of the first lines, whose quotes hold no comma."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", _FIRST)[:_FIRST]
    return [[cell.strip().strip('"').strip() for cell in line.decode(errors="replace").split(",")] for line in lines]


def _is_header(names: list[str], time: re.Pattern[str]) -> bool:
    """One column of days, or of longer periods, and one of prices: with more of them it may be anything."""
    return len(names) == 2 and any(
        time.fullmatch(first) and _PRICE.fullmatch(second) for first, second in (names, names[::-1])
    )
