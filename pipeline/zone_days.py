"""Days of any zone, made of stored bars: of which ones, and where they cannot be exact."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

import polars as pl

from pipeline import calendar

LONGEST: Final = timedelta(hours=25)
"""Of a day that late prices are told apart for: a bar remembers when a price came up to a day of this length."""
_WIDTHS: Final = {"1h": 3600, "15m": 900}


def parts(zone: str, start: datetime, end: datetime) -> str | None:
    """The coarsest bars that the zone's days are made of in the years of [start, end): `1h`, or `15m` where midnight is
    no whole hour in UTC. None where none are, where the zone skips a day, or where one is longer than `LONGEST`."""
    return _parts(zone, start.year, end.year)


class Runs(NamedTuple):
    """Days, one after the other without a gap: from each of the `starts` (seconds since 1970) on they are so many
    seconds long, until the next start."""

    starts: list[int]
    widths: list[int]


def runs(zone: str, start: datetime, end: datetime) -> Runs:
    """The days of a zone in the years of [start, end), and the one before; of a zone that has `parts` then."""
    return _runs(zone, start.year, end.year)


@lru_cache(maxsize=256)
def _runs(zone: str, first: int, last: int) -> Runs:
    days = _days(zone, first, last).select(start=pl.col("opens").dt.epoch("s"), width=_LENGTH.dt.total_seconds())
    heads = days.filter((pl.col("width") != pl.col("width").shift()).fill_null(value=True))
    return Runs(heads["start"].to_list(), heads["width"].to_list())


@lru_cache(maxsize=256)
def _parts(zone: str, first: int, last: int) -> str | None:
    days = _days(zone, first, last)
    if days["closes"].null_count() or days.select(_LENGTH.max() > LONGEST).item():
        return None
    seconds = days["opens"].dt.epoch("s")
    return next((name for name, width in _WIDTHS.items() if (seconds % width == 0).all()), None)


def _days(zone: str, first: int, last: int) -> pl.DataFrame:
    """`opens, closes` of the days that hold a part of these years."""
    days = pl.date_range(date(first - 1, 12, 30), date(last + 1, 1, 2), eager=True).alias("day").to_frame()
    opens, closes = calendar.borders(pl.col("day"), zone)
    return days.select(opens=opens, closes=closes)


_LENGTH: Final = pl.col("closes") - pl.col("opens")
