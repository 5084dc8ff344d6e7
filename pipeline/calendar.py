"""Days and clock grids: the borders in UTC of a market's local day, and instants cut to a grid.

A local day has 23, 24 or 25 hours where its zone changes its clock; grids finer than a day are cut in UTC.
"""

from collections.abc import Sequence

import polars as pl

from pipeline.schema import INSTANT

_MICROSECONDS = 1_000_000


def floor(instants: pl.Expr, seconds: int | pl.Expr) -> pl.Expr:
    """The grid point of so many seconds (a divisor of the UTC day) at or before each instant."""
    step = seconds * _MICROSECONDS
    return (instants.cast(pl.Int64) // step * step).cast(INSTANT)


def utc_day(instants: pl.Expr) -> pl.Expr:
    """UTC midnight at or before each instant."""
    return floor(instants, 86_400)


def day_start(instants: pl.Expr, zone: str) -> pl.Expr:
    """The UTC instant at which the local day of `zone` that holds each instant began."""
    return _midnight(instants.dt.convert_time_zone(zone).dt.date(), zone)


def day_end(instants: pl.Expr, zone: str) -> pl.Expr:
    """The UTC instant at which the local day of `zone` that holds each instant ends."""
    return _midnight(instants.dt.convert_time_zone(zone).dt.date().dt.offset_by("1d"), zone)


def local_days(frame: pl.DataFrame, instant: str, zone: str) -> pl.DataFrame:
    """The frame with `day_start` and `day_end` of the column `instant`, each in the zone that the column `zone`
    names."""
    zones: Sequence[str] = frame[zone].unique().sort().to_list()
    start, end = pl.lit(None, dtype=INSTANT), pl.lit(None, dtype=INSTANT)
    for name in zones:
        here = pl.col(zone) == name
        start = pl.when(here).then(day_start(pl.col(instant), name)).otherwise(start)
        end = pl.when(here).then(day_end(pl.col(instant), name)).otherwise(end)
    return frame.with_columns(day_start=start, day_end=end)


def _midnight(days: pl.Expr, zone: str) -> pl.Expr:
    """The first instant of local days; where the clock skips midnight, the day begins an hour later on it."""
    naive = days.cast(pl.Datetime("us"))
    first = _local(naive, zone)
    return pl.coalesce(first, _local(naive.dt.offset_by("1h"), zone))


def _local(naive: pl.Expr, zone: str) -> pl.Expr:
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC")
