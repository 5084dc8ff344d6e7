"""The forms in which prices of Henry Hub come, each read to columns of cells of one shape."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Final

import polars as pl

from pipeline import csvtable, jsontable, stamps, times
from pipeline.rejects import no_problem
from pipeline.schema import EARLIEST, INSTANT, LATEST


class Form(Enum):
    CHAIN = auto()  # JSON: a vendor's chain, one record a contract
    BARS = auto()  # JSON: daily bars of the continuous front contract
    STRIPS = auto()  # CSV: settlements by nearby position, a row a date
    SPOT = auto()  # CSV: daily spot prices
    EIA = auto()  # JSON: the answer of EIA's API for the daily spot price
    CALENDAR = auto()  # CSV: contract calendars and holidays, no prices


PRODUCTS: Final[Mapping[Form, str]] = {
    Form.CHAIN: "futures", Form.BARS: "futures", Form.STRIPS: "futures", Form.SPOT: "spot", Form.EIA: "spot",
}  # fmt: skip
SPOT: Final = "HENRY_HUB"
FRONT: Final = "NG=F"  # what vendors call the continuous front contract
MONTHS: Final = "FGHJKMNQUVXZ"
_SERIES: Final = "RNGWHHD"  # EIA's daily spot price
_DAY: Final = timedelta(days=1)
_NEARBY: Final = re.compile(r"ng[0-9]{2}")
_CONTRACT: Final = rf"^NG(?<letter>[{MONTHS}])(?<year>[0-9]{{2}})$"
_NAMED: Final = re.compile(r"henry[ _-]?hub|natural[ _-]?gas|(?:^|[^a-z])ng(?:[^a-z]|$)|rngwhhd", re.IGNORECASE)
_CALENDARS: Final = (["cmdty", "tick.prefix"], ["nymex", "ice"])
_NOT_A_DATE: Final = "is no date such as 2024-01-31"
_NOT_A_CONTRACT: Final = f"is no contract of Henry Hub: NG, a month's letter ({MONTHS}) and two digits of the year"
_OTHER_MONTH: Final = "is not the contract of the month and year beside it"
_OTHER_SERIES: Final = f"is not EIA's daily series {_SERIES}"


@dataclass(frozen=True, slots=True)
class Block:
    """The prices of one column. `cells`: row, location, place problem, time, time problem, start, end (null: open),
    price and volume as text. `time`, `place`, `price`: what the document calls them; `kind`: of location."""

    cells: pl.DataFrame
    time: str
    place: str
    price: str
    kind: str


@dataclass(frozen=True, slots=True)
class Read:
    """`broken`: REFUSED_ROWS; `rows` and `header_line` as in `ParsedDocument`."""

    blocks: list[Block]
    broken: pl.DataFrame
    rows: int
    header_line: int


def is_named(name: str) -> bool:
    """The file's name tells that it is of Henry Hub."""
    return _NAMED.search(name) is not None


def form(head: bytes) -> Form | None:
    """The form by the first bytes; null for none of them."""
    return _json_form(head) if jsontable.is_json(head) else _csv_form(_first_line(head).lower().split(","))


def _json_form(head: bytes) -> Form | None:
    if _SERIES.encode() in head and b'"period"' in head:
        return Form.EIA
    if b'"cmeCode"' in head:
        return Form.CHAIN
    return Form.BARS if all(name in head for name in (b'"data"', b'"date"', b'"close"')) else None


def _csv_form(names: list[str]) -> Form | None:
    names = [name.strip().strip('"') for name in names]
    if names[:2] in _CALENDARS:
        return Form.CALENDAR
    if names[0] == "date" and names[1:] and all(_NEARBY.fullmatch(name) for name in names[1:]):
        return Form.STRIPS
    return Form.SPOT if names == ["date", "price"] else None


def read(form: Form, content: bytes) -> Read:
    """The document's cells. Raises `DataProcessingError` where a column is lacking."""
    return _READERS[form](content)


def _first_line(head: bytes) -> str:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0].decode(errors="replace").strip()


def _chain(content: bytes) -> Read:
    table = jsontable.objects(content, ["data"], ["cmeCode", "month", "year", "lastUpdate", "price"])
    start, problem = times.instants(table.cells["lastUpdate"])
    code = table.cells["cmeCode"].fill_null("")
    cells = table.cells.select("row", "price").with_columns(
        code.alias("location"), _contract_problem(table.cells, code).alias("place problem"),
        table.cells["lastUpdate"].alias("time"), problem.alias("time problem"), start.alias("start"),
        end=pl.lit(None, dtype=INSTANT), volume=pl.lit(None, dtype=pl.String),
    )  # fmt: skip
    return Read([Block(cells, "lastUpdate", "cmeCode", "price", "future")], table.broken, table.rows, 0)


def _contract_problem(cells: pl.DataFrame, code: pl.Series) -> pl.Series:
    """Where the code is none, or contradicts `month` and `year`, which may be absent."""
    told = code.str.extract_groups(_CONTRACT).struct.unnest()
    month = told["letter"].replace_strict(list(MONTHS), range(1, 13), default=None, return_dtype=pl.Int64)
    given_month, given_year = (cells[name].cast(pl.Int64, strict=False) for name in ("month", "year"))
    other = (given_month != month) | (given_year % 100 != told["year"].cast(pl.Int64))
    return no_problem(code.len()).set(other.fill_null(value=False), _OTHER_MONTH).set(month.is_null(), _NOT_A_CONTRACT)


def _bars(content: bytes) -> Read:
    table = jsontable.objects(content, ["data"], ["date", "close", "volume"])
    cells = _daily(table.cells["date"], table.cells, "close", FRONT).with_columns(table.cells["volume"])
    return Read([Block(cells, "date", "symbol", "close", "nearby")], table.broken, table.rows, 0)


def _strips(content: bytes) -> Read:
    source = csvtable.lines(content)
    names = source.names
    table = csvtable.table(source, names)
    dates = table.cells[names[0]]
    blocks = [
        Block(_daily(dates, table.cells, name, name.upper()), names[0], name, name, "nearby") for name in names[1:]
    ]
    return Read(blocks, table.broken, table.rows, source.header_line)


def _spot(content: bytes) -> Read:
    source = csvtable.lines(content)
    table = csvtable.table(source, source.names)
    date, price = source.names
    block = Block(_daily(table.cells[date], table.cells, price, SPOT), date, "location", price, "hub")
    return Read([block], table.broken, table.rows, source.header_line)


def _eia(content: bytes) -> Read:
    table = jsontable.objects(content, ["response", "data"], ["period", "series", "value"])
    other = (table.cells["series"] != _SERIES).fill_null(value=True)
    cells = _daily(table.cells["period"], table.cells, "value", SPOT).with_columns(
        no_problem(table.cells.height).set(other, _OTHER_SERIES).alias("place problem")
    )
    return Read([Block(cells, "period", "series", "value", "hub")], table.broken, table.rows, 0)


def _daily(dates: pl.Series, cells: pl.DataFrame, price: str, location: str) -> pl.DataFrame:
    """The cells of a column of days."""
    local = stamps.local(dates)
    start = local.dt.replace_time_zone("UTC").cast(INSTANT)
    within = start.is_between(EARLIEST, LATEST, closed="left") & (local.dt.truncate("1d") == local)
    bad = ~within.fill_null(value=False)
    return cells.select(
        "row", pl.col(price).alias("price"), location=pl.lit(location), time=pl.lit(dates), start=pl.lit(start),
    ).with_columns(
        no_problem(cells.height).set(bad, _NOT_A_DATE).alias("time problem"),
        pl.lit(None, dtype=pl.String).alias("place problem"),
        end=pl.col("start") + _DAY, volume=pl.lit(None, dtype=pl.String),
    )  # fmt: skip


_READERS: Final[Mapping[Form, Callable[[bytes], Read]]] = {
    Form.CHAIN: _chain, Form.BARS: _bars, Form.STRIPS: _strips, Form.SPOT: _spot, Form.EIA: _eia,
}  # fmt: skip
