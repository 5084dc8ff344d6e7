"""The cells of an LMP report, as CSV or XML has them, to parts of ticks and refusals: one price component a row."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline import checks, documents, numbers, products, rejects, times
from pipeline.bars import INTERVALS
from pipeline.checks import Check
from pipeline.distinct import spread
from pipeline.markets import caiso_lmp
from pipeline.markets.caiso_lmp import COMPONENTS, KIND, LMP, NODE

START: Final = "INTERVALSTARTTIME_GMT"
END: Final = "INTERVALENDTIME_GMT"
RUN: Final = "MARKET_RUN_ID"
RUNS: Final = {"DAM": "da_hourly", "HASP": "hasp_15min", "RTPD": "rt_15min", "RTM": "rt_5min"}

_KINDS: Final = f"^(?:{'|'.join((LMP, *COMPONENTS))})$"
_UNREAD: Final = "price problem"
_MICROS: Final = 1_000_000
_NODE_PROBLEM: Final = "is not a node name (1 to 150 printable characters)"


def parts(
    cells: pl.DataFrame, price: str, expected: str | None, names: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(`caiso_lmp.PARTS` of the rows whose node, interval and kind are known, REFUSED_ROWS).

    `cells`: text columns START, END, NODE, RUN, KIND and `price`, and `row`; `names`: what the document calls them,
    where that is something else. A row that is refused for its price alone stays among the parts: it keeps its place
    among the publications.
    """
    times_of = cells.select(RUN, START, END)
    values, odd = numbers.columns(cells.select(price))
    problem = odd.get(price, rejects.no_problem(cells.height))
    timed = cells.hstack([
        *spread(times_of, lambda distinct: _intervals(distinct, expected)),
        values[price].alias("value"), problem.alias(_UNREAD), problem.is_not_null().alias("refused"),
    ])  # fmt: skip
    placed, lost = checks.parted(timed, _places(names))
    _, unread = checks.parted(placed, [checks.told(names.get(price, price), price, _UNREAD)])
    return placed.select(list(caiso_lmp.PARTS)), documents.refusals(lost, unread)


def _places(names: Mapping[str, str]) -> list[Check]:
    return [
        *(checks.told(names.get(name, name), name, f"{name} problem") for name in (RUN, START, END)),
        checks.unless(names.get(NODE, NODE), NODE, rejects.NAME, _NODE_PROBLEM),
        checks.unless(names.get(KIND, KIND), KIND, _KINDS, "is no part of an LMP"),
    ]


def _intervals(distinct: pl.DataFrame, expected: str | None) -> pl.DataFrame:
    """Product, instants and problems of market run, start and end."""
    product = distinct[RUN].replace_strict(RUNS, default=None, return_dtype=pl.String)
    start, bad_start = times.instants(distinct[START])
    end, bad_end = times.instants(distinct[END])
    native = product.replace_strict(_native_seconds(), default=None, return_dtype=pl.Int64)
    read = pl.DataFrame({"product": product, "start": start, "end": end, "native": native})
    return read.with_columns(
        _run_problem(expected).alias(f"{RUN} problem"),
        pl.coalesce(bad_start, _grid_problem()).alias(f"{START} problem"),
        pl.coalesce(bad_end, _length_problem()).alias(f"{END} problem"),
        interval=_interval(),
    )


def _native_seconds() -> dict[str, int]:
    named = {each: products.product("caiso", each).interval for each in RUNS.values()}
    return {each: INTERVALS[name].seconds or 0 for each, name in named.items() if name}


def _run_problem(expected: str | None) -> pl.Expr:
    other = pl.lit(value=False) if expected is None else pl.col("product") != expected
    return (
        pl.when(pl.col("product").is_null())
        .then(pl.lit(f"is no market run with LMP ({', '.join(RUNS)})"))
        .when(other)
        .then(pl.lit(f"is not the market run of {expected}"))
    )


def _interval() -> pl.Expr:
    """A number for each product and start, the same in every document; null off the product's grid."""
    place = pl.col("product").replace_strict(
        {name: place for place, name in enumerate(RUNS.values())}, default=None, return_dtype=pl.Int64
    )
    minutes = pl.col("start").dt.epoch("us") // (60 * _MICROS)
    return pl.when(_grid_problem().is_null()).then(minutes * len(RUNS) + place)


def _grid_problem() -> pl.Expr:
    """Clocks are set by whole hours where CAISO is, so an interval of an hour or less begins on the UTC grid."""
    return pl.when(pl.col("start").dt.epoch("us") % (pl.col("native") * _MICROS) != 0).then(
        pl.format("begins no interval of {} s", "native")
    )


def _length_problem() -> pl.Expr:
    length = (pl.col("end") - pl.col("start")).dt.total_microseconds()
    seconds = (length / _MICROS).cast(pl.String).str.strip_suffix(".0")
    return pl.when(length != pl.col("native") * _MICROS).then(
        pl.format("ends an interval of {} s, the product's have {} s", seconds, "native")
    )
