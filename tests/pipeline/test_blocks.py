"""Hours of blocks, against counts that traders publish and against a second reading of the calendar."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pipeline import blocks
from pipeline.errors import DataProcessingError
from pipeline.schema import INSTANT
from tests.pipeline.test_holidays import nerc_days

MARKETS = ("caiso", "ercot", "miso", "nyiso", "pjm")
TABLE = Path(blocks.__file__).parents[1] / "db" / "reference" / "peak_hours.csv"
# The hours of the day (beginnings) and the days (Monday is 0) of `peak`, written down here once more.
WRITTEN = {
    "pjm": ("America/New_York", range(7, 23), range(5)),
    "nyiso": ("America/New_York", range(7, 23), range(5)),
    "miso": ("America/New_York", range(7, 23), range(5)),
    "ercot": ("America/Chicago", range(6, 22), range(5)),
    "caiso": ("America/Los_Angeles", range(6, 22), range(6)),
}


def month(zone: str, year: int, number: int, months: int = 1) -> pl.Series:
    """The hours of months of a zone."""
    first, after = date(year, number, 1), date(year + (number + months - 1) // 12, (number + months - 1) % 12 + 1, 1)
    begin, end = (
        datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in (first, after)
    )
    return pl.datetime_range(begin, end, "1h", closed="left", time_unit="us", time_zone="UTC", eager=True)


def counts(hours: pl.Series, market: str) -> dict[str, int]:
    return {block: int(blocks.within(hours, block, market).sum()) for block in blocks.names(market)}


@pytest.mark.parametrize(
    ("market", "year", "number", "peak", "offpeak"),
    [
        ("pjm", 2026, 7, 368, 376),
        ("caiso", 2026, 7, 416, 328),  # Saturday 4 July is no peak day: 432 with it
        ("pjm", 2026, 11, 320, 401),  # 721 hours
        ("miso", 2026, 11, 320, 401),  # traded in Eastern prevailing time, which the market is not in
        ("caiso", 2023, 1, 400, 344),  # New Year's Sunday moves to Monday
    ],
)
def test_months_have_the_hours_that_traders_count(market: str, year: int, number: int, peak: int, offpeak: int) -> None:
    found = counts(month(blocks.zone_of("peak", market), year, number), market)
    assert (found["peak"], found["offpeak"]) == (peak, offpeak)
    assert found["atc"] == peak + offpeak


def test_the_tariff_of_miso_knows_no_clock_change() -> None:
    zone = blocks.zone_of("tariff", "miso")
    hours = month(zone, 2026, 11)
    assert (len(hours), counts(hours, "miso")["tariff"]) == (720, 320)
    first = hours.filter(blocks.within(hours, "tariff", "miso"))[0]
    assert first == datetime(2026, 11, 2, 11, tzinfo=UTC)  # hour ending 7 EST


@pytest.mark.parametrize("market", MARKETS)
def test_every_month_is_cut_without_rest_or_overlap(market: str) -> None:
    zone, daytime, days = WRITTEN[market]
    hours = month(zone, 2015, 1, 12 * 16)
    of = pl.DataFrame({block: blocks.within(hours, block, market) for block in blocks.names(market)})
    assert (of["peak"] ^ of["offpeak"]).all()
    assert of.select((pl.sum_horizontal("5x16", "2x16", "7x8") == 1).all()).item()
    assert (of["6x16"] | ~of["5x16"]).all()
    local = hours.dt.convert_time_zone(zone)
    peak = of.group_by(local.dt.year().alias("year"), local.dt.month().alias("number")).agg(pl.col("peak").sum())
    assert peak.height == 12 * 16
    for year, number, found in peak.iter_rows():
        assert found == _by_hand(year, number, len(daytime), days), (year, number)


def _by_hand(year: int, number: int, daytime: int, days: range) -> int:
    """Peak hours of a month: no clock changes at daytime."""
    first = date(year, number, 1)
    every = [first + timedelta(days=n) for n in range(31) if (first + timedelta(days=n)).month == number]
    return daytime * sum(day.weekday() in days and day not in nerc_days(year) for day in every)


@pytest.mark.parametrize("market", MARKETS)
def test_peak_hours_one_by_one_through_a_year_of_clock_changes(market: str) -> None:
    zone, daytime, days = WRITTEN[market]
    hours = month(zone, 2023, 1, 12)
    local = [at.astimezone(ZoneInfo(zone)) for at in hours.to_list()]
    wanted = [at.hour in daytime and at.weekday() in days and at.date() not in nerc_days(2023) for at in local]
    assert blocks.within(hours, "peak", market).to_list() == wanted


def test_blocks_of_a_weekend_and_a_holiday() -> None:
    """Friday 3 July to Monday 6 July 2026 in California, Saturday is a holiday."""
    days = {day: month("America/Los_Angeles", 2026, 7)[24 * (day - 1) : 24 * day] for day in (3, 4, 5, 6)}
    found = {day: counts(hours, "caiso") for day, hours in days.items()}
    assert [found[day]["peak"] for day in (3, 4, 5, 6)] == [16, 0, 0, 16]
    assert [found[day]["6x16"] for day in (3, 4, 5, 6)] == [16, 0, 0, 16]
    assert [found[day]["2x16"] for day in (3, 4, 5, 6)] == [0, 16, 16, 0]
    assert {found[day]["7x8"] for day in days} == {8}


def test_a_holiday_is_off_peak_all_day() -> None:
    days = month("America/Los_Angeles", 2020, 1)[:48]
    peak = days.filter(blocks.within(days, "peak", "caiso")).dt.convert_time_zone("America/Los_Angeles")
    assert peak.dt.date().unique().to_list() == [date(2020, 1, 2)]
    assert peak.dt.hour().to_list() == list(range(6, 22))


def test_the_hours_of_each_span() -> None:
    """The peak hours of two days, the second of which has none."""
    hours = month("America/New_York", 2026, 11)
    spans = pl.DataFrame(
        {"start": [hours[5 * 24 + 1], hours[6 * 24 + 1]], "end": [hours[6 * 24 + 1], hours[7 * 24 + 1]]}
    )
    found = blocks.hours(spans.cast({"start": INSTANT, "end": INSTANT}), "peak", "pjm")
    assert found["start"].unique().to_list() == [datetime(2026, 11, 6, 5, tzinfo=UTC)]
    assert (found["hour"][0], found["hour"][-1], found.height) == (
        datetime(2026, 11, 6, 12, tzinfo=UTC),
        datetime(2026, 11, 7, 3, tzinfo=UTC),
        16,
    )


def test_the_registered_blocks_are_those_of_the_reference_table() -> None:
    rows = pl.read_csv(TABLE).drop("source").iter_rows()
    assert {(market, block): blocks.Hours(*rest) for market, block, *rest in rows} == blocks.DEFAULT


@pytest.mark.parametrize(
    ("instrument", "block"),
    [
        ("caiso.da_hourly.TH_NP15_GEN_ONPEAK-APND", "peak"),
        ("caiso.rt_5min.TH_SP15_GEN_OFFPEAK-APND", "offpeak"),
        ("caiso.da_hourly.TH_NP15_GEN-APND", None),
        ("caiso.da_hourly.ONPEAK_1_N001", None),
        ("pjm.da_hourly.TH_X_ONPEAK-APND", None),
    ],
)
def test_which_instruments_are_priced_in_a_block(instrument: str, block: str | None) -> None:
    assert blocks.block_of(instrument) == block


def test_an_empty_range_has_no_hours() -> None:
    assert blocks.within(pl.Series([], dtype=INSTANT), "peak", "caiso").is_empty()


@pytest.mark.parametrize(
    ("market", "block", "sentence"),
    [
        ("pjm", "tariff", "pjm has no block 'tariff'. Write one of atc, peak, offpeak, 5x16, 6x16, 2x16, 7x8."),
        ("henry_hub", "peak", "henry_hub has no block 'peak'. Peak hours are known of caiso, ercot, miso, nyiso, pjm."),
    ],
)
def test_a_block_that_a_market_has_not_is_refused(market: str, block: str, sentence: str) -> None:
    with pytest.raises(DataProcessingError) as refused:
        blocks.within(month("UTC", 2026, 1), block, market)
    assert refused.value.message == sentence
    assert blocks.within(month("UTC", 2026, 1), "atc", market).all()
