"""Each form's document as columns of cells of one shape."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import csvtable, jsontable, stamps, times
from pipeline.documents import refusal
from pipeline.markets import henry_hub_forms
from pipeline.markets.henry_hub_forms import DATE, NEARBY, SERIES, Form
from pipeline.rejects import no_problem
from pipeline.schema import EARLIEST, INSTANT, LATEST
from pipeline.text import utf8
from pipeline.trading import MONTH_LETTERS

SPOT: Final = "HENRY_HUB"
FRONT: Final = "NG=F"  # what vendors call the continuous front contract
_CENTURY: Final = 2000
_MONTH: Final = 28  # days, at least
_DAY: Final = timedelta(days=1)
_YEAR: Final = "[0-9]{4}"  # of a date: two digits would leave the century open
_MONTH_NAMED: Final = "%b %d, %Y"  # as spreadsheets of EIA show dates
_NOTHING: Final = "."  # FRED's missing value
_CONTRACT: Final = rf"^NG(?<letter>[{MONTH_LETTERS}])(?<year>[0-9]{{2}})$"
_NOT_A_DATE: Final = "is no date such as 2024-01-31"
_NOT_A_CONTRACT: Final = (
    f"is no contract of Henry Hub: NG, a month's letter ({MONTH_LETTERS}) and two digits of the year"
)
_OTHER_MONTH: Final = "is not the contract of the month and year beside it"
_OTHER_SERIES: Final = f"is not EIA's daily series {SERIES}"


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


def read(form: Form, content: bytes) -> Read:
    """The document's cells. Raises `DataProcessingError` where a column is lacking or one too many, and where values
    are no prices of days."""
    return _READERS[form](content)


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
    month = told["letter"].replace_strict(list(MONTH_LETTERS), range(1, 13), default=None, return_dtype=pl.Int64)
    year = told["year"].cast(pl.Int64)
    other = _differs(cells["month"], month) | (_differs(cells["year"], year + _CENTURY) & _differs(cells["year"], year))
    return no_problem(code.len()).set(other, _OTHER_MONTH).set(month.is_null(), _NOT_A_CONTRACT)


def _differs(given: pl.Series, told: pl.Series) -> pl.Series:
    """What is given is another number, or none; what is absent does not differ."""
    number = given.str.strip_suffix(".0").cast(pl.Int64, strict=False)
    return given.is_not_null() & number.ne_missing(told)


def _bars(content: bytes) -> Read:
    table = jsontable.objects(content, ["data"], ["date", "close", "volume"])
    cells = _daily(table.cells["date"], table.cells, "close", FRONT).with_columns(table.cells["volume"])
    return Read([Block(cells, "date", "symbol", "close", "nearby")], table.broken, table.rows, 0)


def _strips(content: bytes) -> Read:
    source = csvtable.lines(content)
    names = source.names
    days = [name for name in names if DATE.fullmatch(name)]
    other = [name for name in names if name not in days and not NEARBY.fullmatch(name)]
    if len(days) != 1 or other:
        held = ", ".join(other) or f"{len(days)} columns of dates"
        reason = f"a strip has one column of dates and others named NG01 to NG99: this has {held}"
        raise refusal(reason, "header", ",".join(names))
    table = csvtable.table(source, names)
    day, cells = days[0], table.cells
    blocks = [
        Block(_daily(cells[day], cells, name, name.upper()), day, name, name, "nearby") for name in names if name != day
    ]
    return Read(blocks, table.broken, table.rows, source.header_line)


def _spot(content: bytes) -> Read:
    data = utf8(content)
    above = henry_hub_forms.lines_above(data)
    source = csvtable.lines(data.split(b"\n", above)[above])
    table = csvtable.table(source, source.names)
    price, day = sorted(source.names, key=lambda name: DATE.fullmatch(name) is not None)
    cells = _days_alone(_daily(table.cells[day], table.cells, price, SPOT))
    return Read([Block(cells, day, "location", price, "hub")], table.broken, table.rows, above + source.header_line)


def _eia(content: bytes) -> Read:
    frequency = jsontable.part(content, ["response", "frequency"])
    if frequency not in (None, "daily"):
        raise refusal(f"the values are {str(frequency)[:40]}: daily ones are read", "frequency", str(frequency))
    table = jsontable.objects(content, ["response", "data"], ["period", "series", "value"])
    other = (table.cells["series"] != SERIES).fill_null(value=True)
    cells = _days_alone(_daily(table.cells["period"], table.cells, "value", SPOT))
    cells = cells.with_columns(
        table.cells["series"].fill_null("").zip_with(other, cells["location"]).alias("location"),
        no_problem(table.cells.height).set(other, _OTHER_SERIES).alias("place problem"),
    )
    return Read([Block(cells, "period", "series", "value", "hub")], table.broken, table.rows, 0)


def _days_alone(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells, where they are of days; FRED's missing values become null.

    Means of weeks, months or years are dated by one of their days: all their steps are of a week, or of a month and
    more.
    """
    steps = cells["start"].drop_nulls().unique().sort().diff().drop_nulls().dt.total_days()
    if steps.len() > 2 and ((steps == 7).all() or (steps >= _MONTH).all()):
        reason = f"the dates are {steps[0]} days apart: means of weeks, months or years are no daily prices"
        raise refusal(reason, "document")
    nothing = (cells["price"].str.strip_chars() == _NOTHING).fill_null(value=False)
    return cells.with_columns(cells["price"].set(nothing, None))


def _daily(dates: pl.Series, cells: pl.DataFrame, price: str, location: str) -> pl.DataFrame:
    """The cells of a column of days."""
    local = _midnights(dates)
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


def _midnights(dates: pl.Series) -> pl.Series:
    told = stamps.local(dates)
    if told.null_count():
        named = dates.str.strip_chars().str.to_datetime(_MONTH_NAMED, time_unit="us", strict=False)
        told = told.zip_with(told.is_not_null(), named)
    return told.set(~dates.str.contains(_YEAR).fill_null(value=False), None)


_READERS: Final[Mapping[Form, Callable[[bytes], Read]]] = {
    Form.CHAIN: _chain, Form.BARS: _bars, Form.STRIPS: _strips, Form.SPOT: _spot, Form.EIA: _eia,
}  # fmt: skip
