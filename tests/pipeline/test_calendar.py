from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import calendar
from pipeline.schema import INSTANT

ZONES = ("America/Los_Angeles", "America/New_York", "America/Chicago", "Etc/GMT+5")
instants = st.datetimes(datetime(2015, 1, 1), datetime(2030, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def days(at: list[datetime], zone: str) -> list[tuple[datetime, datetime]]:
    frame = pl.DataFrame({"at": pl.Series(at, dtype=INSTANT)})
    cut = frame.select(calendar.day_start(pl.col("at"), zone), end=calendar.day_end(pl.col("at"), zone))
    return [(start, end) for start, end in cut.iter_rows()]


def expected(at: datetime, zone: str) -> tuple[datetime, datetime]:
    local = at.astimezone(ZoneInfo(zone)).date()
    start = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone))
    after = local + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone))
    return start.astimezone(UTC), end.astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_every_hour_around_every_clock_change(zone: str) -> None:
    first = datetime(2015, 1, 1, tzinfo=UTC)
    hours = [first + timedelta(hours=hour) for hour in range(16 * 366 * 24)]
    near = [at for at in hours if at.month in (3, 11) and at.day <= 15]
    found = days(near, zone)
    assert found == [expected(at, zone) for at in near]
    lengths = {(end - start) // timedelta(hours=1) for start, end in found}
    assert lengths == ({24} if zone == "Etc/GMT+5" else {23, 24, 25})


@given(st.lists(st.tuples(instants, st.sampled_from(ZONES)), min_size=1, max_size=20))
def test_mixed_zones(cases: list[tuple[datetime, str]]) -> None:
    frame = pl.DataFrame({"at": pl.Series([at for at, _ in cases], dtype=INSTANT), "zone": [z for _, z in cases]})
    cut = calendar.local_days(frame, "at", "zone")
    assert cut.select("day_start", "day_end").rows() == [expected(at, zone) for at, zone in cases]


def test_a_day_whose_midnight_is_skipped() -> None:
    [(start, end)] = days([datetime(2018, 11, 4, 12, tzinfo=UTC)], "America/Sao_Paulo")
    assert (start, end) == (datetime(2018, 11, 4, 3, tzinfo=UTC), datetime(2018, 11, 5, 2, tzinfo=UTC))


@given(instants, st.sampled_from([10, 60, 300, 900, 3600, 86_400]))
def test_floor(at: datetime, seconds: int) -> None:
    frame = pl.DataFrame({"at": pl.Series([at], dtype=INSTANT)})
    floored: datetime = frame.select(calendar.floor(pl.col("at"), seconds)).item()
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    assert floored == at - since % timedelta(seconds=seconds)
