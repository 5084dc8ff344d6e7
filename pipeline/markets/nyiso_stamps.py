"""The time stamps of NYISO's files: Eastern prevailing time, hours by their beginning, shorter intervals by their end.

The real-time file of a day lists the dispatch (RTD), every five minutes and after events; while the day lasts, prices
of the commitment (RTC) for the quarters of an hour ahead stand behind it.
"""

from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import times, wallclock
from pipeline.distinct import spread
from pipeline.markets.nyiso_reports import DAY, HOURS, RTC, RTD
from pipeline.rejects import no_problem
from pipeline.schema import INSTANT, Schema, within_bounds

ZONE: Final = "America/New_York"
OFFSETS: Final = {"EST": timedelta(hours=-5), "EDT": timedelta(hours=-4)}

# Of each row. A row with a problem has no instants.
PLACES: Final[Schema] = {
    "product": pl.String(),
    "ts": INSTANT,
    "start": INSTANT,
    "end": INSTANT,
    "problem": pl.String(),  # of its stamp
    "zone problem": pl.String(),  # of the zone's name beside it
}

_NOT_A_STAMP: Final = "is no time such as 06/01/2024 00:05:00"
_NOT_ITS_ZONE: Final = f"is not the zone of that time ({', '.join(OFFSETS)})"
_FIVE: Final = timedelta(minutes=5)
_QUARTER: Final = timedelta(minutes=15)
_HOUR: Final = timedelta(hours=1)


def places(stamps: pl.Series, names: pl.Series, zones: pl.Series | None, report: str) -> pl.DataFrame:
    """PLACES of rows, in their order, by their naive stamps and locations.

    `zones`: the zone's name beside each stamp, where the report gives it. `report`: a product, or `DAY`.
    """
    instants, problem, zone_problem = _instants(stamps, names, zones, report)
    table = _intervals(instants, report)
    placed = spread(
        instants.to_frame("at"), lambda at: at.join(table, on="at", how="left", maintain_order="left").drop("at")
    )
    told = placed.hstack([problem.alias("told"), zone_problem.alias("zone problem")])
    return told.with_columns(problem=pl.coalesce("told", "problem")).select(list(PLACES))


def _instants(
    stamps: pl.Series, names: pl.Series, zones: pl.Series | None, report: str
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """(instants, problems of the stamps, problems of the zones)."""
    fine, unread = no_problem(stamps.len()), stamps.is_null()
    if zones is None:
        instants, problem = wallclock.by_order(stamps, names, ZONE, whole_hours=report in HOURS)
        return instants, problem.set(unread, _NOT_A_STAMP), fine
    instants = wallclock.by_name(stamps, zones, ZONE, OFFSETS)
    return instants, fine.set(unread, _NOT_A_STAMP), fine.set(instants.is_null() & ~unread, _NOT_ITS_ZONE)


def _intervals(instants: pl.Series, report: str) -> pl.DataFrame:
    """PLACES of the distinct instants `at` that a report holds."""
    ordered = pl.DataFrame({"at": instants.unique().drop_nulls().sort()})
    told = ordered.with_columns(ahead=_ahead() if report == DAY else report == RTC, problem=_problem(report))
    ahead = pl.col("ahead")
    placed = told.with_columns(
        start=_starts(ahead, report),
        end=pl.col("at") + _HOUR if report in HOURS else pl.col("at"),
        product=pl.when(ahead).then(pl.lit(RTC)).otherwise(pl.lit(RTD if report == DAY else report)),
    )
    by_end = pl.col("product") == RTD
    fine = placed.with_columns(ts=pl.when(by_end).then("end").otherwise("start")).drop("ahead")
    if fine["problem"].null_count() == fine.height:
        return fine
    return fine.with_columns(
        pl.when(pl.col("problem").is_null()).then(name).alias(name) for name in ("ts", "start", "end")
    )


def _starts(ahead: pl.Expr, report: str) -> pl.Expr:
    """An RTD interval begins at the stamp before it, unless that lies more than five minutes back."""
    if report in HOURS:
        return pl.col("at")
    before = pl.col("at").shift()
    follows = before >= pl.col("at") - _FIVE
    dispatched = pl.when(follows).then(before).otherwise(pl.col("at") - _FIVE)
    return pl.when(ahead).then(pl.col("at") - _QUARTER).otherwise(dispatched)


def _ahead() -> pl.Expr:
    """RTC: the last stamps of a day's file, one quarter of an hour after the other, a little apart from RTD's."""
    step = pl.col("at").diff()
    quarter = _on(pl.col("at"), _QUARTER)
    goes_on = (quarter & (step == _QUARTER)).fill_null(value=False)
    to_the_end = goes_on.shift(-1, fill_value=True).cum_min(reverse=True)
    apart = (step > _FIVE) & (step <= 2 * _QUARTER)
    return (quarter & apart).fill_null(value=False) & to_the_end


def _problem(report: str) -> pl.Expr:
    off_grid = pl.lit(None, dtype=pl.String)
    if report in HOURS:
        off_grid = pl.when(~_on(pl.col("at"), _HOUR)).then(pl.lit("begins no hour"))
    elif report == RTC:
        off_grid = pl.when(~_on(pl.col("at"), _QUARTER)).then(pl.lit("ends no quarter of an hour"))
    outside = ~within_bounds(pl.col("at"))
    return pl.when(outside).then(pl.lit(times.OUT_OF_BOUNDS)).otherwise(off_grid)


def _on(instants: pl.Expr, step: timedelta) -> pl.Expr:
    """Clocks are set by whole hours in New York, so steps of an hour or less lie on the UTC grid."""
    return instants.dt.epoch("us") % (step // timedelta(microseconds=1)) == 0
