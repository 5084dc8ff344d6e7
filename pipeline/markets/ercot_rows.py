"""The rows of ERCOT's reports as ticks or refusals.

A settlement point's name is no key: LZEW and LZ_DCEW points share the names of load zones and ties at other prices, so
that their instruments name the type too. ERCOT publishes no parts of a price: they stay null. A correction's version is
the time that it was made, 20251209100000; what was published before has none (0) and gives way to it, however late it
is read again.
"""

from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import documents, numbers, products, rejects, stamps
from pipeline.documents import PARSED, REFUSED_ROWS
from pipeline.markets import ercot_times
from pipeline.markets.ercot_reports import QUARTERS, Report
from pipeline.rejects import Verdict, no_problem
from pipeline.schema import conform

_NAME: Final = (rejects.NAME, "is no name of a settlement point (1 to 150 printable characters)")
_TYPE: Final = (r"^[A-Z_]{0,20}$", "is no type of a settlement point")
_SECOND_POINT: Final = "EW$"
_FOR_TWO: Final = r"^(?:LZ|DC)_"  # names of load zones and of ties, where a report has prices of both points
_UNTOLD: Final = "stands for two points and no type tells which one"
_NOT_A_TIME: Final = "is no time of a correction such as 12/09/2025 10:00:00"
_CUT_OFF: Final = "is cut off: the document is truncated"
_AS_NUMBER: Final = "%Y%m%d%H%M%S"


def ticks(cells: pl.DataFrame, report: Report, *, cut_off: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of text columns by role; `cut_off`: the last price cannot be trusted."""
    text = cells.with_columns(pl.col(set(cells.columns) & {"point", "type"}).fill_null("").str.strip_chars())
    rows = text.hstack(ercot_times.places(text, report))
    price, problem = numbers.amounts(rows["price"])
    if cut_off:
        problem = problem.set(rows["row"] == rows["row"].max(), _CUT_OFF)
    version, unordered = _versions(rows, report)
    problems = {
        **{role: rows[f"{role} problem"] for role in ercot_times.told(report)},
        "point": _point_problems(rows, report),
        **({"type": rejects.unless(rows["type"], *_TYPE)} if "type" in rows.columns else {}),
        "price": problem,
        **({"corrected": unordered} if report.corrects else {}),
    }
    verdicts = [Verdict(report.columns[role], rows[role], problem) for role, problem in problems.items()]
    refused = rejects.first_of_each(rows.select("row"), verdicts).select(list(REFUSED_ROWS))
    there = price.is_not_null() & ~rows["row"].is_in(refused["row"].implode())
    return _shaped(rows.with_columns(price=price, version=version).filter(there), report), refused


def _point_problems(rows: pl.DataFrame, report: Report) -> pl.Series:
    problem = rejects.unless(rows["point"], *_NAME)
    if report.product != QUARTERS:
        return problem
    return problem.set((rows["type"] == "") & rows["point"].str.contains(_FOR_TWO), _UNTOLD)


def _versions(rows: pl.DataFrame, report: Report) -> tuple[pl.Series, pl.Series]:
    """(versions, problems)."""
    if not report.corrects:
        return pl.repeat(0, rows.height, dtype=pl.Int64, eager=True), no_problem(rows.height)
    made = stamps.local(rows["corrected"])
    return made.dt.strftime(_AS_NUMBER).cast(pl.Int64), no_problem(rows.height).set(made.is_null(), _NOT_A_TIME)


def _shaped(rows: pl.DataFrame, report: Report) -> pl.DataFrame:
    kind = pl.col("type").replace("", None) if "type" in rows.columns else pl.lit(None, dtype=pl.String)
    alone = ~kind.str.contains(_SECOND_POINT).fill_null(value=False)
    shown = pl.when(alone).then("point").otherwise(pl.format("{}@{}", "point", kind))
    hold = report.length or products.product("ercot", report.product).max_hold or timedelta(0)
    shaped = rows.select(
        *("start", "price", "version", "row"),
        market=pl.lit("ercot"),
        product=pl.lit(report.product),
        location=pl.col("point"),
        location_type=kind,
        instrument=pl.format("ercot.{}.{}", pl.lit(report.product), shown),
        ts=pl.col("start"),
        end=pl.col("start") + report.length if report.length else pl.lit(None),
        hold_end=pl.col("start") + hold,
    )
    return conform(documents.published(shaped), PARSED)
