"""Days: the borders in UTC of a market's local day, which has 23, 24 or 25 hours where its zone changes its clock."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

# Of deliveries and sessions: days of which no price can be would cost time and memory.
FIRST_DAY: Final = date(1990, 1, 1)
LAST_DAY: Final = date(2100, 12, 31)


def local_days(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """A row for each local day that holds a part of [`start`, `end`) of a row, with its borders `day_start` and
    `day_end`; the column `zone` names each row's zone."""
    zones: Sequence[str] = frame[zone].unique().sort().to_list()
    parts = [_days_of(frame.filter(pl.col(zone) == name), name) for name in zones]
    return pl.concat(parts) if parts else _days_of(frame, "UTC")


def _days_of(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    last = pl.col("end") - pl.duration(microseconds=1)
    first, last = (each.dt.convert_time_zone(zone).dt.date() for each in (pl.col("start"), last))
    held = rows.with_columns(day=pl.date_ranges(first, last)).explode("day")
    days = held.select(pl.col("day").unique())
    first, beyond = borders(pl.col("day"), zone)
    return held.join(days.with_columns(day_start=first, day_end=beyond), on="day", maintain_order="left")


def borders(days: pl.Expr, zone: str) -> tuple[pl.Expr, pl.Expr]:
    """The instants at which local days begin, and at which the days after them do."""
    return midnight(days, zone), midnight(days.dt.offset_by("1d"), zone)


def midnight(days: pl.Expr, zone: str) -> pl.Expr:
    """The first instant of local days; where the clock skips midnight, the day begins an hour later on it."""
    return instant(days.cast(pl.Datetime("us")), zone)


def instant(naive: pl.Expr, zone: str) -> pl.Expr:
    """The instant (UTC) of local times, the first of two; where the clock skips one, that of an hour later on it."""
    return pl.coalesce(_local(naive, zone), _local(naive.dt.offset_by("1h"), zone))


def _local(naive: pl.Expr, zone: str) -> pl.Expr:
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC")
