from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipeline import wallclock
from pipeline.wallclock import MIXED, NOT_THERE, ONCE, TWICE, UNFLAGGED

ZONE = "America/New_York"
AUTUMN, SPRING = datetime(2025, 11, 2), datetime(2025, 3, 9)  # noqa: DTZ001


def local(day: datetime, *times: str | None) -> pl.Series:
    clocks = [None if time is None else time.split(":") for time in times]
    read = [None if each is None else day + timedelta(hours=int(each[0]), minutes=int(each[1])) for each in clocks]
    return pl.Series(read, dtype=pl.Datetime("us"))


def hours(times: list[str | None], of: str, whole_hours: bool, day: datetime = AUTUMN) -> list[object]:
    """Hours of UTC since the day's local midnight, with decimals; the reason where there is none."""
    instants, reasons = wallclock.by_order(local(day, *times), pl.Series(list(of)), ZONE, whole_hours=whole_hours)
    midnight = day.replace(tzinfo=UTC) + timedelta(hours=5 if day == SPRING else 4)
    return [
        reason if instant is None else (instant - midnight) / timedelta(hours=1)
        for instant, reason in zip(instants.to_list(), reasons.to_list(), strict=True)
    ]


@pytest.mark.parametrize(
    ("times", "of", "expected"),
    [("00 01 01 02", "AAAA", [0, 1, 2, 3]),
     ("00 00 01 01 01 01 02 02", "ABABABAB", [0, 0, 1, 1, 2, 2, 3, 3]),
     ("00 01 01 02 00 01 01 02", "AAAABBBB", [0, 1, 2, 3, 0, 1, 2, 3]),
     ("00 01", "AA", [0, 1]),
     ("01 02", "AA", [2, 3]),
     ("01 01 01 01", "ABAB", [1, 1, 2, 2])],
)  # fmt: skip
def test_the_hour_that_comes_twice_by_whole_hours(times: str, of: str, expected: list[float]) -> None:
    assert hours([f"{time}:00" for time in times.split()], of, whole_hours=True) == expected


@pytest.mark.parametrize(
    ("times", "of", "expected"),
    [("01 01 01", "A A B", [1, 2, 2]), ("01 01 01 01 01", "B A A B C", [1, 1, 2, 2, 2]),
     ("01 01 01 01 01", "B A C A B", [1, 1, TWICE, 2, 2]), ("01 01 01 01 01", "A C B A B", [1, 1, 1, 2, 2]),
     ("01 01 01", "A A A", [1, 2, MIXED]), ("01", "A", [TWICE]),
     ("00 01 01 02 00 01 02", "A A A A B B B", [0, 1, 2, 3, 0, TWICE, 3])],
)  # fmt: skip
def test_one_that_lacks_a_turn_is_placed_by_those_around_it_or_refused(
    times: str, of: str, expected: list[object]
) -> None:
    found = hours([f"{time}:00" for time in times.split()], of.replace(" ", ""), whole_hours=True)
    assert found == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [("00:50 01:00 01:45 01:00 01:45 02:00", [5 / 6, 1, 1.75, 2, 2.75, 3]),
     ("01:45 01:00 01:45", [1.75, 2, 2.75]), ("01:30 02:00", [2.5, 3]), ("00:45 01:30", [0.75, 1.5]),
     ("01:30", [TWICE]), ("00:45 01:30 01:15 01:30 01:15", [0.75, 1.5, 2.25, 2.5, MIXED]),
     ("00:45 01:00 01:00 01:15 01:15 01:20 02:00", [0.75, MIXED, MIXED, MIXED, MIXED, MIXED, 3]),
     ("00:45 01:00 01:15 01:15 01:30 01:45 01:00 01:15", [0.75, 1, MIXED, MIXED, 1.5, 1.75, 2, 2.25])],
)  # fmt: skip
def test_the_time_that_goes_back_begins_the_second_hour(times: str, expected: list[object]) -> None:
    split = times.split()
    assert hours([*split], "A" * len(split), whole_hours=False) == [
        each if isinstance(each, str) else pytest.approx(each) for each in expected
    ]


def test_the_hour_that_is_left_out_has_no_time() -> None:
    found = hours(["01:55", "02:00", None, "02:59", "03:00"], "AAAAA", whole_hours=False, day=SPRING)
    assert found == [pytest.approx(1 + 11 / 12), NOT_THERE, None, NOT_THERE, 2]


def test_the_zones_name_settles_it() -> None:
    offsets = {"EST": timedelta(hours=-5), "EDT": timedelta(hours=-4)}
    times = local(AUTUMN, "00:00", "01:00", "01:00", "00:00", "03:00", "01:00", None)
    names = pl.Series(["EDT", "EST", "EDT", "EST", "EDT", "CET", "EST"])
    instants = wallclock.by_name(times, names, ZONE, offsets)
    midnight = datetime(2025, 11, 2, 4, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert instants.to_list() == [midnight, midnight + 2 * hour, midnight + hour, None, None, None, None]


def test_the_flag_marks_the_second_hour() -> None:
    times = local(AUTUMN, "00:59", "01:00", "01:00", "01:59", "01:30", "02:00", "02:00", "02:00", None)
    flags = pl.Series([False, True, False, True, None, False, None, True, True])
    instants, reasons = wallclock.by_flag(times, flags, ZONE)
    midnight = datetime(2025, 11, 2, 4, tzinfo=UTC)
    minutes = [None if instant is None else (instant - midnight) // timedelta(minutes=1) for instant in instants]
    assert minutes == [59, 120, 60, 179, None, 180, 180, None, None]
    assert reasons.to_list() == [None, None, None, None, UNFLAGGED, None, None, ONCE, None]


def test_no_flag_makes_a_time_that_is_left_out() -> None:
    times = local(SPRING, "01:59", "02:00", "02:30", "02:59", "03:00")
    instants, reasons = wallclock.by_flag(times, pl.Series([False, True, False, None, False]), ZONE)
    assert instants.is_null().to_list() == [False, True, True, True, False]
    assert reasons.to_list() == [None, NOT_THERE, NOT_THERE, NOT_THERE, None]


def test_no_rows_have_no_instants() -> None:
    instants, reasons = wallclock.by_flag(local(AUTUMN), pl.Series([], dtype=pl.Boolean), ZONE)
    assert (instants.len(), reasons.len()) == (0, 0)
