"""Peak and off-peak hours, for the locations that are priced only in those.

The hours of CAISO's `TH_*_GEN_ONPEAK-APND` and `_OFFPEAK-APND` nodes are those of the 6x16 block and its complement, in
Pacific time: hours ending 7 to 22 of Mondays to Saturdays, but on none of the six NERC holidays. CAISO's day-ahead
prices of all nodes on 2020-01-01, a holiday, show both sides of it.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final, Literal

import polars as pl

Block = Literal["peak", "off_peak"]

NAMED: Final = r"^caiso\.[a-z0-9_]+\..*_(ON|OFF)PEAK(-APND)?$"
"""A pattern of RE2: the instruments that are priced in the hours of a block alone."""

_BLOCKS: Final[Mapping[str, Block]] = MappingProxyType({"ON": "peak", "OFF": "off_peak"})
_FIRST_HOUR, _LAST_HOUR = 6, 21  # of their beginnings
_FIXED: Final = ((1, 1), (7, 4), (12, 25))
_SUNDAY: Final = 7


def block_of(instrument: str) -> Block | None:
    """The block in whose hours alone an instrument is priced; None: it is priced in all."""
    named = re.match(NAMED, instrument)
    return _BLOCKS[named[1]] if named else None


def within(starts: pl.Series, block: Block, zone: str) -> pl.Series:
    """Boolean: the interval that begins at this instant (UTC) lies in the block, in local hours."""
    local = starts.dt.convert_time_zone(zone)
    holidays = [each for each in local.dt.date().unique() if is_holiday(each)]
    hour, day = pl.col("local").dt.hour(), pl.col("local").dt
    peak = hour.is_between(_FIRST_HOUR, _LAST_HOUR) & (day.weekday() != _SUNDAY) & ~day.date().is_in(holidays)
    return local.to_frame("local").select(peak if block == "peak" else ~peak).to_series()


def is_holiday(day: date) -> bool:
    """Whether a day is a NERC holiday. Of the three with a fixed date, a Sunday one moves to Monday."""
    eve = day - timedelta(days=1)
    moved = day.isoweekday() == 1 and (eve.month, eve.day) in _FIXED
    on_date = (day.month, day.day) in _FIXED and day.isoweekday() != _SUNDAY
    return moved or on_date or _memorial(day) or _labor(day) or _thanksgiving(day)


def _memorial(day: date) -> bool:
    """The last Monday of May."""
    return day.month == 5 and day.isoweekday() == 1 and day.day > 24


def _labor(day: date) -> bool:
    """The first Monday of September."""
    return day.month == 9 and day.isoweekday() == 1 and day.day <= 7


def _thanksgiving(day: date) -> bool:
    """The fourth Thursday of November."""
    return day.month == 11 and day.isoweekday() == 4 and 22 <= day.day <= 28
