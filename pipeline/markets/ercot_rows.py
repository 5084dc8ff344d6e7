"""The rows of ERCOT's reports as ticks or refusals.

A settlement point's name is no key: LZEW and LZ_DCEW points share the names of load zones and ties at other prices, so
that their instruments name the type too. ERCOT publishes no parts of a price: they stay null. A correction's version is
the time that it was made, 20251209100000; what was published before has none (0) and gives way to it, however late it
is read again.
"""

from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import checks, documents, numbers, products, rejects, stamps
from pipeline.checks import Check
from pipeline.documents import PARSED
from pipeline.markets import ercot_times
from pipeline.markets.ercot_reports import QUARTERS, Report
from pipeline.schema import shaped

_NAME: Final = (rejects.NAME, "is no name of a settlement point (1 to 150 printable characters)")
_TYPE: Final = (r"^[A-Z_]{0,20}$", "is no type of a settlement point")
_SECOND_POINT: Final = "EW$"
_FOR_TWO: Final = r"^(?:LZ|DC)_"  # names of load zones and of ties, where a report has prices of both points
_UNTOLD: Final = "stands for two points and no type tells which one"
_NOT_A_TIME: Final = "is no time of a correction such as 12/09/2025 10:00:00"
_CUT_OFF: Final = "is cut off: the document is truncated"
_UNREAD: Final = "price problem"
_AS_NUMBER: Final = "%Y%m%d%H%M%S"


def ticks(cells: pl.DataFrame, report: Report, *, cut_off: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of text columns by role; `cut_off`: the last price cannot be trusted."""
    values, unread = numbers.columns(cells.select("price"))
    text = cells.with_columns(pl.col(set(cells.columns) & {"point", "type"}).fill_null("").str.strip_chars())
    rows = text.with_columns(values["price"].alias("value"), *(odd.alias(_UNREAD) for odd in unread.values()))
    if report.corrects:
        rows = rows.with_columns(stamps.local(rows["corrected"]).alias("made"))
    good, refused = checks.parted(rows.hstack(ercot_times.places(text, report)), _checks(report, rows, cut_off=cut_off))
    priced = good.filter(pl.col("value").is_not_null()) if good["value"].null_count() else good
    return _shaped(priced, report), refused


def _checks(report: Report, rows: pl.DataFrame, *, cut_off: bool) -> list[Check]:
    names = report.columns
    found = [checks.told(names[role], role, f"{role} problem") for role in ercot_times.told(report)]
    if report.product == QUARTERS:
        untold = (pl.col("type") == "") & pl.col("point").str.contains(_FOR_TWO)
        found.append(Check(names["point"], "point", untold, pl.lit(_UNTOLD)))
    found.append(checks.unless(names["point"], "point", *_NAME))
    if "type" in names:
        found.append(checks.unless(names["type"], "type", *_TYPE))
    if cut_off:
        last = pl.col("row") == pl.lit(rows["row"].max())
        found.append(Check(names["price"], "price", last, pl.lit(_CUT_OFF)))
    if _UNREAD in rows.columns:
        found.append(checks.told(names["price"], "price", _UNREAD))
    if report.corrects:
        found.append(Check(names["corrected"], "corrected", pl.col("made").is_null(), pl.lit(_NOT_A_TIME)))
    return found


def _shaped(rows: pl.DataFrame, report: Report) -> pl.DataFrame:
    kind = pl.col("type").replace("", None) if "type" in rows.columns else pl.lit(None, dtype=pl.String)
    alone = ~kind.str.contains(_SECOND_POINT).fill_null(value=False)
    shown = pl.when(alone).then("point").otherwise(pl.format("{}@{}", "point", kind))
    hold = report.length or products.product("ercot", report.product).max_hold or timedelta(0)
    columns = {
        "market": pl.lit("ercot"), "product": pl.lit(report.product), "location": "point", "location_type": kind,
        "instrument": pl.format("ercot.{}.{}", pl.lit(report.product), shown),
        "ts": "start", "start": "start", "hold_end": pl.col("start") + hold, "price": "value",
        "version": pl.col("made").dt.strftime(_AS_NUMBER) if report.corrects else pl.lit(0), "row": "row",
    }  # fmt: skip
    if report.length:
        columns["end"] = pl.col("start") + report.length
    return documents.published(shaped(rows, PARSED, columns))
