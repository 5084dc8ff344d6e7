"""Which names of time zones can be worked with."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from pipeline.schema import INSTANT


def is_zone(name: str) -> bool:
    """Whether Python and polars know the time zone: `posix/…`, `right/…` and `localtime` are known to one alone."""
    try:
        ZoneInfo(name)
        pl.select(pl.lit(datetime(2026, 1, 1, tzinfo=UTC), dtype=INSTANT).dt.convert_time_zone(name))
    except (ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.PolarsError):
        return False
    return True
