"""What is there of a range: totals, days, and from when on anything is promised."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pipeline import coverage, expected
from pipeline.coverage import Asked
from pipeline.products import PRODUCTS

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIVE = 5 * MINUTE
PACIFIC = "America/Los_Angeles"
LONG_AFTER = datetime(2027, 1, 1, tzinfo=UTC)


def midnight(day: date, zone: str = PACIFIC) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


AUTUMN = midnight(date(2026, 11, 1))  # a day of 25 hours
NODE = Asked(
    "caiso.da_hourly.NODE", PRODUCTS["caiso", "da_hourly"], PACIFIC, AUTUMN - DAY, AUTUMN + 49 * HOUR, LONG_AFTER,
    AUTUMN - DAY,
)  # fmt: skip


def held(starts: Iterable[datetime], hold: timedelta = HOUR) -> pl.DataFrame:
    return pl.DataFrame([(at, at, at + hold) for at in starts], schema=dict(expected.HELD), orient="row")


def hours(start: datetime, count: int) -> list[datetime]:
    return [start + n * HOUR for n in range(count)]


def test_totals_and_days_over_a_clock_change() -> None:
    there = held([*hours(AUTUMN - DAY, 24), *hours(AUTUMN, 3), *hours(AUTUMN + 5 * HOUR, 20)])
    found = coverage.promised(NODE, there)
    assert (found.expected, found.present, found.missing) == (73, 47, 26)
    assert found.gaps is not None
    assert found.gaps.rows() == [
        (AUTUMN + 3 * HOUR, AUTUMN + 5 * HOUR, 2), (AUTUMN + 25 * HOUR, AUTUMN + 49 * HOUR, 24),
    ]  # fmt: skip
    assert found.days.rows() == [
        (date(2026, 10, 31), 24, 24, 0, True), (date(2026, 11, 1), 25, 23, 2, False),
        (date(2026, 11, 2), 24, 0, 24, False),
    ]  # fmt: skip


def test_day_ahead_is_expected_day_by_day_from_its_due_time_on() -> None:
    due = AUTUMN - 11 * HOUR
    for now, counts in ((due - timedelta(microseconds=1), (24, 0)), (due, (49, 25))):
        found = coverage.promised(replace(NODE, now=now), held(hours(AUTUMN - DAY, 24)))
        assert (found.expected, found.missing) == counts
    early = coverage.promised(replace(NODE, now=due - HOUR), held(hours(AUTUMN - DAY, 49)))
    assert (early.expected, early.present, early.missing) == (49, 49, 0)
    assert early.days["complete"].to_list() == [True, True, None], "what came before it was due is there"


def test_nothing_is_promised_before_the_day_of_the_first_price() -> None:
    first = AUTUMN + 5 * HOUR
    found = coverage.promised(replace(NODE, first=first), held(hours(first, 44)))
    assert found.days.rows() == [
        (date(2026, 10, 31), 0, 0, 0, None), (date(2026, 11, 1), 25, 20, 5, False),
        (date(2026, 11, 2), 24, 24, 0, True),
    ]  # fmt: skip
    never = coverage.promised(replace(NODE, first=None), held([]))
    assert (never.expected, never.present, never.missing) == (0, 0, 0)
    assert never.days["complete"].to_list() == [None] * 3


def test_a_running_day_is_not_complete_yet() -> None:
    five = replace(NODE, product=PRODUCTS["caiso", "rt_5min"], start=AUTUMN, end=AUTUMN + 25 * HOUR)
    there = held([AUTUMN + n * FIVE for n in range(13)], FIVE)
    found = coverage.promised(replace(five, now=AUTUMN + HOUR), there)
    assert found.days.rows() == [(date(2026, 11, 1), 13, 13, 0, None)]
    later = coverage.promised(replace(five, now=AUTUMN + HOUR + FIVE), there)
    assert later.days.rows() == [(date(2026, 11, 1), 14, 13, 1, False)]


def test_a_node_of_off_peak_hours_is_expected_in_those_alone() -> None:
    """Saturday 31 October has 8 off-peak hours, the Sunday of the clock change 25, Monday 8."""
    node = replace(NODE, instrument="caiso.da_hourly.TH_NP15_GEN_OFFPEAK-APND")
    night = [*hours(AUTUMN - DAY, 6), *hours(AUTUMN - 2 * HOUR, 2)]
    found = coverage.promised(node, held([*night, *hours(AUTUMN, 25)]))
    assert found.days.rows() == [
        (date(2026, 10, 31), 8, 8, 0, True), (date(2026, 11, 1), 25, 25, 0, True), (date(2026, 11, 2), 8, 0, 8, False),
    ]  # fmt: skip
    peak = coverage.promised(replace(node, instrument="caiso.da_hourly.TH_NP15_GEN_ONPEAK-APND"), held([]))
    assert peak.days["expected"].to_list() == [16, 0, 16]
    assert peak.days["complete"].to_list() == [False, None, False]


CENTRAL = "America/Chicago"
RUN = midnight(date(2026, 7, 1), CENTRAL)
SCED = Asked(
    "ercot.rt_sced.HB_NORTH", PRODUCTS["ercot", "rt_sced"], CENTRAL, RUN, RUN + 2 * DAY, LONG_AFTER, RUN - 30 * DAY
)


def test_irregular_runs_have_gaps_in_time_and_no_promise() -> None:
    runs = [RUN + timedelta(seconds=292 * n + 14) for n in range(-2, 600)]
    lacking = [at for at in runs if not RUN + 5 * HOUR <= at < RUN + 6 * HOUR]
    found = coverage.irregular(SCED, held(lacking, 30 * MINUTE))
    last = max(at for at in lacking if at < RUN + 5 * HOUR)
    assert found.gaps is not None
    assert found.gaps.rows() == [(last + 30 * MINUTE, min(at for at in lacking if at >= RUN + 6 * HOUR), None)]
    assert (found.expected, found.missing) == (None, None)
    assert found.present == sum(1 for at in lacking if RUN <= at < RUN + 2 * DAY)
    assert found.days["complete"].to_list() == [False, True]
    assert found.days["expected"].null_count() == found.days["missing"].null_count() == 2
    assert found.days["present"].sum() == found.present


def test_a_run_that_is_not_due_yet_is_no_gap() -> None:
    last, hold = RUN + HOUR, 30 * MINUTE
    runs = held([RUN + n * FIVE for n in range(13)], hold)
    for now, holes in ((last + hold + MINUTE, 0), (last + hold + MINUTE + timedelta(seconds=1), 1)):
        found = coverage.irregular(replace(SCED, now=now), runs)
        assert found.gaps is not None
        assert found.gaps.height == holes
        assert found.days["complete"].to_list() == [False if holes else None, None]
    later = coverage.irregular(replace(SCED, first=RUN + 25 * HOUR), held([RUN + 25 * HOUR], 23 * HOUR))
    assert later.gaps is not None
    assert later.gaps.rows() == [(RUN + DAY + 30 * MINUTE, RUN + 25 * HOUR, None)], "from the day of the first price on"
    assert later.days["complete"].to_list() == [None, False]
    before = coverage.irregular(replace(SCED, first=None), held([]))
    assert before.gaps is not None
    assert before.gaps.is_empty()


def test_the_first_run_of_all_may_come_half_an_hour_after_its_day_began() -> None:
    for after, holes in ((30 * MINUTE, 0), (31 * MINUTE, 1)):
        first = RUN + after
        runs = held([first + n * FIVE for n in range(300)], 30 * MINUTE)
        found = coverage.irregular(replace(SCED, first=first, end=RUN + DAY), runs)
        assert found.days["complete"].to_list() == [not holes]


def test_a_stream_tells_how_many_there_are_and_nothing_else() -> None:
    stream = replace(NODE, instrument="GAS", product=PRODUCTS[None, "tick"], zone="UTC", end=AUTUMN + DAY)
    counted = pl.DataFrame([(AUTUMN, 5), (AUTUMN + HOUR, 7)], schema=dict(coverage.COUNTED), orient="row")
    found = coverage.streamed(stream, counted)
    assert (found.expected, found.present, found.missing, found.gaps) == (None, 12, None, None)
    assert found.days.rows() == [
        (date(2026, 10, 31), None, 0, None, None), (date(2026, 11, 1), None, 12, None, None),
        (date(2026, 11, 2), None, 0, None, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("product", "start", "end", "due"),
    [
        (("caiso", "rt_5min"), AUTUMN, AUTUMN + FIVE, AUTUMN + FIVE),
        (("nyiso", "rt_5min"), AUTUMN, AUTUMN + FIVE, AUTUMN + 2 * FIVE),
        # An event run ends at 00:08:02: the interval that ends at 00:10 is still to come.
        (("nyiso", "rt_5min"), AUTUMN + FIVE, AUTUMN + timedelta(minutes=8, seconds=2), AUTUMN + 2 * FIVE),
        (("ercot", "rt_sced"), AUTUMN + timedelta(seconds=14), None, AUTUMN + timedelta(seconds=14 + 360)),
        # The last hour of the day of 25 is there: the next day's come at 13:00 of this one.
        (("caiso", "da_hourly"), AUTUMN + 24 * HOUR, AUTUMN + 25 * HOUR, AUTUMN + 14 * HOUR),
        (("henry_hub", "spot"), AUTUMN, AUTUMN + DAY, None),
        ((None, "tick"), AUTUMN, None, None),
    ],
)
def test_when_the_next_one_is_expected(
    product: tuple[str | None, str], start: datetime, end: datetime | None, due: datetime | None
) -> None:
    assert coverage.next_due(PRODUCTS[product], "X", PACIFIC, start, end) == due


def test_the_next_one_of_a_block_is_expected_in_its_hours() -> None:
    saturday = AUTUMN - 3 * HOUR  # hour ending 22, the last one before Monday's first
    due = coverage.next_due(
        PRODUCTS["caiso", "da_hourly"], "caiso.da_hourly.TH_NP15_GEN_ONPEAK-APND", PACIFIC, saturday, saturday + HOUR
    )
    assert due == AUTUMN + 25 * HOUR - 11 * HOUR


def test_the_default_range_is_seven_local_days() -> None:
    day_ahead, five = PRODUCTS["caiso", "da_hourly"], PRODUCTS["caiso", "rt_5min"]
    noon = AUTUMN + 13 * HOUR  # 12:00 Pacific after the change; tomorrow's prices are due at 13:00
    assert coverage.last_day(five, PACIFIC, noon + 2 * HOUR) == AUTUMN + 25 * HOUR
    assert coverage.last_day(day_ahead, PACIFIC, noon) == AUTUMN + 25 * HOUR
    assert coverage.last_day(day_ahead, PACIFIC, noon + HOUR) == AUTUMN + 49 * HOUR
    assert coverage.days_before(AUTUMN + 25 * HOUR, PACIFIC, 7) == midnight(date(2026, 10, 26))
    assert coverage.days_before(AUTUMN + 25 * HOUR, PACIFIC, 1) == AUTUMN
    assert coverage.days_before(AUTUMN + 26 * HOUR, PACIFIC, 1) == AUTUMN + 25 * HOUR
