"""Hours of blocks, against counts that traders publish and against a second reading of the calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pipeline import blocks
from pipeline.schema import INSTANT

PACIFIC = "America/Los_Angeles"


def hours(zone: str, first: date, after: date) -> pl.Series:
    begin, end = (
        datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in (first, after)
    )
    return pl.datetime_range(begin, end, "1h", closed="left", time_unit="us", time_zone="UTC", eager=True)


@pytest.mark.parametrize(
    ("first", "after", "peak", "off_peak"),
    [
        (date(2026, 7, 1), date(2026, 8, 1), 416, 328),  # Saturday 4 July is no peak day
        (date(2023, 1, 1), date(2023, 2, 1), 400, 344),  # New Year's Sunday moves to Monday
    ],
)
def test_months_have_the_hours_that_traders_count(first: date, after: date, peak: int, off_peak: int) -> None:
    month = hours(PACIFIC, first, after)
    found = {block: blocks.within(month, block, PACIFIC) for block in ("peak", "off_peak")}
    assert (found["peak"].sum(), found["off_peak"].sum()) == (peak, off_peak)
    assert (found["peak"] ^ found["off_peak"]).all()


def test_a_holiday_is_off_peak_all_day() -> None:
    days = hours(PACIFIC, date(2020, 1, 1), date(2020, 1, 3))
    peak = days.filter(blocks.within(days, "peak", PACIFIC)).dt.convert_time_zone(PACIFIC)
    assert peak.dt.date().unique().to_list() == [date(2020, 1, 2)]
    assert peak.dt.hour().to_list() == list(range(6, 22))


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2021, [(1, 1), (5, 31), (7, 5), (9, 6), (11, 25), (12, 25)]),  # Sunday 4 July moves, Saturday stays
        (2022, [(1, 1), (5, 30), (7, 4), (9, 5), (11, 24), (12, 26)]),
        (2026, [(1, 1), (5, 25), (7, 4), (9, 7), (11, 26), (12, 25)]),
    ],
)
def test_six_holidays_a_year(year: int, days: list[tuple[int, int]]) -> None:
    every = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    assert [(day.month, day.day) for day in every if blocks.is_holiday(day)] == days


@pytest.mark.parametrize(
    ("instrument", "block"),
    [
        ("caiso.da_hourly.TH_NP15_GEN_ONPEAK-APND", "peak"),
        ("caiso.rt_5min.TH_SP15_GEN_OFFPEAK-APND", "off_peak"),
        ("caiso.da_hourly.TH_NP15_GEN-APND", None),
        ("caiso.da_hourly.ONPEAK_1_N001", None),
        ("pjm.da_hourly.TH_X_ONPEAK-APND", None),
    ],
)
def test_which_instruments_are_priced_in_a_block(instrument: str, block: blocks.Block | None) -> None:
    assert blocks.block_of(instrument) == block


def test_an_empty_range_has_no_hours() -> None:
    assert blocks.within(pl.Series([], dtype=INSTANT), "peak", PACIFIC).is_empty()
