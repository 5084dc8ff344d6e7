"""Trading sessions: a session is a trading day, from the end of the one before to its own end.

NYMEX trades from 18:00 to 17:00 in New York; the session is named by the day on which it ends. Saturdays, Sundays and
holidays are none: what is dated then belongs to the session that follows. An instant at the very end is still inside.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Final

import polars as pl

from pipeline import calendar
from pipeline.schema import INSTANT

_FRIDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of a market that ends them at `end` of `zone`."""

    zone: str
    end: time
    holidays: frozenset[date]

    def of(self, instants: pl.Series) -> pl.Series:
        """The session (Date) that each instant lies in."""
        local = instants.dt.convert_time_zone(self.zone)
        after = (local.dt.time() > self.end).cast(pl.Int64)
        return self._days().gather(self._at_or_after(local.dt.date().cast(pl.Int32) + after))

    def closes(self, days: pl.Series) -> pl.Series:
        """The instant (UTC) at which the session of each day ends."""
        local = pl.lit(days).cast(pl.Datetime("us")) + timedelta(hours=self.end.hour, minutes=self.end.minute)
        return pl.select(calendar.instant(local, self.zone).cast(INSTANT)).to_series()

    def numbers(self, days: pl.Series) -> pl.Series:
        """The ordinal (Int64) of each day's session; null where the day is none."""
        place = self._at_or_after(days.cast(pl.Int32).cast(pl.Int64)).cast(pl.Int64)
        return place.set(self._days().gather(place) != days, None)

    def days(self, numbers: pl.Series) -> pl.Series:
        """The session of each ordinal."""
        return self._days().gather(numbers)

    def around(self, days: Collection[date], before: int, after: int) -> list[date]:
        """All sessions from `before` sessions before to `after` ones after each of the days, in order; of the first and
        the last days as many as there are."""
        places = self._at_or_after(pl.Series(sorted(days), dtype=pl.Date).cast(pl.Int32).cast(pl.Int64))
        near = {place + step for place in places for step in range(-before, after + 1)}
        there = sorted(place for place in near if 0 <= place < len(self._days()))
        return self._days().gather(there).to_list()

    def _days(self) -> pl.Series:
        return _trading_days(self.holidays)

    def _at_or_after(self, since_1970: pl.Series) -> pl.Series:
        return self._days().cast(pl.Int32).cast(pl.Int64).search_sorted(since_1970.cast(pl.Int64), side="left")


@lru_cache(maxsize=8)
def _trading_days(holidays: frozenset[date]) -> pl.Series:
    every = pl.date_range(calendar.FIRST_DAY, calendar.LAST_DAY, eager=True)
    closed = pl.Series(sorted(holidays), dtype=pl.Date)
    return every.filter((every.dt.weekday() <= _FRIDAY) & ~every.is_in(closed.implode()))
