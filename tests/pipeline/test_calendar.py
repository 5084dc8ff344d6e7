from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import calendar
from pipeline.schema import INSTANT

MICROSECOND = timedelta(microseconds=1)
ZONES = ("America/Los_Angeles", "America/New_York", "America/Chicago", "Etc/GMT+5")
instants = st.datetimes(datetime(2015, 1, 1), datetime(2030, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def days(at: list[datetime], zone: str) -> list[tuple[datetime, datetime]]:
    return held([(each, each + MICROSECOND, zone) for each in at])


def held(cases: list[tuple[datetime, datetime, str]]) -> list[tuple[datetime, datetime]]:
    frame = pl.DataFrame(cases, schema={"start": INSTANT, "end": INSTANT, "zone": pl.String()}, orient="row")
    cut = calendar.local_days(frame.with_row_index("case"), "zone").sort("case", "day_start")
    return cut.select("day_start", "day_end").rows()


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


@given(st.lists(st.tuples(instants, st.integers(1, 80 * 3600), st.sampled_from(ZONES)), min_size=1, max_size=20))
def test_every_day_that_holds_a_part_of_a_range(cases: list[tuple[datetime, int, str]]) -> None:
    ranges = [(at, at + timedelta(seconds=length), zone) for at, length, zone in cases]
    assert held(ranges) == [day for each in ranges for day in days_between(*each)]


def days_between(start: datetime, end: datetime, zone: str) -> list[tuple[datetime, datetime]]:
    found = [expected(start, zone)]
    while found[-1][1] < end:
        found.append(expected(found[-1][1], zone))
    return found


def test_a_day_whose_midnight_is_skipped() -> None:
    [(start, end)] = days([datetime(2018, 11, 4, 12, tzinfo=UTC)], "America/Sao_Paulo")
    assert (start, end) == (datetime(2018, 11, 4, 3, tzinfo=UTC), datetime(2018, 11, 5, 2, tzinfo=UTC))
