"""What products promise, over every clock change of 2015 to 2030 and every market's zone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import expected
from pipeline.errors import DataProcessingError
from pipeline.products import MARKETS, PRODUCTS, Product
from pipeline.schema import INSTANT

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIVE = 5 * MINUTE
GRIDS = [each for each in PRODUCTS.values() if expected.step(each) is not None]
YEARS = range(2015, 2031)
START = datetime(2026, 7, 1, tzinfo=UTC)


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def changes(zone: str) -> list[tuple[date, int]]:
    """Every local day of the years whose clock changes, with its hours; by Python's calendar alone."""
    days = (date(year, month, day) for year in YEARS for month in (3, 11) for day in range(1, 16))
    lengths = ((day, (midnight(day + timedelta(days=1), zone) - midnight(day, zone)) // HOUR) for day in days)
    return [(day, hours) for day, hours in lengths if hours != 24]


@pytest.mark.parametrize("market", [name for name in MARKETS if name not in {"henry_hub", "spread"}])
def test_days_of_clock_changes_have_all_their_intervals_and_no_other(market: str) -> None:
    zone = MARKETS[market].zone
    found = changes(zone)
    assert [hours for _, hours in found] == ([] if market == "miso" else [23, 25] * len(YEARS))
    near = found or [(date(year, month, 8), 24) for year in YEARS for month in (3, 11)]
    for product in (each for each in GRIDS if each.market == market):
        for day, hours in near:
            _check_day(product, zone, day, hours)


def _check_day(product: Product, zone: str, day: date, hours: int) -> None:
    length, begin, end = expected.step(product), midnight(day, zone), midnight(day + timedelta(days=1), zone)
    assert length is not None
    grid = expected.intervals(product, zone, begin, end)
    starts = [begin + n * length for n in range(hours * HOUR // length)]
    assert grid["start"].to_list() == starts
    assert grid["end"].to_list() == [*starts[1:], end]
    assert grid["day"].unique().to_list() == [day]
    around = expected.intervals(product, zone, begin - HOUR, end + HOUR)
    assert around.filter(pl.col("day") == day).equals(grid)


def test_every_day_of_miso_has_24_hours() -> None:
    zone, product = MARKETS["miso"].zone, PRODUCTS["miso", "da_hourly"]
    begin, end = (midnight(date(year, 1, 1), zone) for year in (YEARS[0], YEARS[-1] + 1))
    assert expected.intervals(product, zone, begin, end).group_by("day").len()["len"].unique().to_list() == [24]


@pytest.mark.parametrize("product", GRIDS, ids=lambda each: f"{each.market}.{each.name}")
def test_prices_are_expected_with_the_publication_that_holds_them(product: Product) -> None:
    assert product.market is not None
    zone, length, cadence = MARKETS[product.market].zone, expected.step(product), product.cadence
    assert length is not None
    assert cadence is not None
    for day in (date(2026, 3, 8), date(2026, 11, 1), date(2026, 7, 1)):
        begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        for start, due in expected.intervals(product, zone, begin, end).select("start", "due").iter_rows():
            if cadence == timedelta(days=1):
                assert due == begin + product.due
            else:
                first = max(cadence, length)
                assert (
                    due
                    == datetime.fromtimestamp(start.timestamp() // first.total_seconds() * first.total_seconds(), UTC)
                    + product.due
                )


def test_some_due_times_by_hand() -> None:
    def due(market: str, product: str, start: datetime) -> datetime:
        zone = MARKETS[market].zone
        return expected.intervals(PRODUCTS[market, product], zone, start, start + MINUTE)["due"][0]

    # CAISO publishes July 2nd (from 07:00Z on) at 13:00 Pacific of July 1st, for all of its hours.
    assert due("caiso", "da_hourly", datetime(2026, 7, 3, 6, tzinfo=UTC)) == datetime(2026, 7, 1, 20, tzinfo=UTC)
    # The run before the hour is for its four quarters.
    assert due("caiso", "hasp_15min", datetime(2026, 7, 1, 10, 45, tzinfo=UTC)) == datetime(2026, 7, 1, 9, tzinfo=UTC)
    # Stamped at the end, published by then.
    assert due("nyiso", "rt_5min", datetime(2026, 7, 1, 10, 5, tzinfo=UTC)) == datetime(2026, 7, 1, 10, 10, tzinfo=UTC)


@given(st.integers(-10_000, 10_000), st.integers(1, 20_000), st.sampled_from(GRIDS))
def test_a_range_holds_the_intervals_that_begin_in_it(offset: int, seconds: int, product: Product) -> None:
    start = START + timedelta(seconds=offset)
    end, length = start + timedelta(seconds=seconds), expected.step(product)
    assert length is not None
    every = [START + n * length for n in range(-30_000 // 300, 60_000 // 300)]
    grid = expected.intervals(product, "America/New_York", start, end)
    assert grid["start"].to_list() == [at for at in every if start <= at < end]


@pytest.mark.parametrize(
    "name", [("ercot", "rt_sced"), ("henry_hub", "futures"), ("henry_hub", "spot"), (None, "tick")]
)
def test_what_promises_nothing_says_so(name: tuple[str | None, str]) -> None:
    product = PRODUCTS[name]
    assert expected.step(product) is None
    assert expected.why_none(product)
    with pytest.raises(DataProcessingError, match="promises no intervals"):
        expected.intervals(product, "UTC", START, START + HOUR)


def test_all_others_promise_their_intervals() -> None:
    assert [expected.why_none(each) for each in GRIDS] == [None] * len(GRIDS)
    assert len(GRIDS) >= 16


def grid_of(product: Product, steps: int) -> pl.DataFrame:
    return expected.intervals(product, "UTC", START, START + steps * FIVE)


def held(rows: Sequence[tuple[datetime, datetime, datetime | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(expected.HELD), orient="row")


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_gaps_are_the_runs_of_what_is_missing(there: list[bool]) -> None:
    grid = grid_of(PRODUCTS["caiso", "rt_5min"], len(there))
    have = pl.Series([at for at, is_there in zip(grid["start"], there, strict=True) if is_there], dtype=INSTANT)
    wanted: list[list[datetime | int]] = []
    for n, is_there in enumerate(there):
        start, end = START + n * FIVE, START + (n + 1) * FIVE
        if is_there:
            continue
        if n and not there[n - 1]:
            wanted[-1][1:] = [end, wanted[-1][2] + 1]  # type: ignore[operator]
        else:
            wanted.append([start, end, 1])
    assert expected.gaps(grid, have).rows() == [tuple(each) for each in wanted]


def test_gaps_do_not_reach_over_hours_that_are_not_promised() -> None:
    product, zone = PRODUCTS["caiso", "da_hourly"], "America/Los_Angeles"
    begin = midnight(date(2026, 7, 6), zone)  # a Monday
    grid = expected.intervals(product, zone, begin, begin + 48 * HOUR)
    own = expected.own(grid, "caiso.da_hourly.TH_NP15_GEN_ONPEAK-APND")
    assert expected.gaps(own, own["start"].clear()).rows() == [
        (begin + (24 * day + 6) * HOUR, begin + (24 * day + 22) * HOUR, 16) for day in (0, 1)
    ]
    assert expected.own(grid, "caiso.da_hourly.TH_NP15_GEN-APND").equals(grid)


def test_no_gap_where_nothing_is_expected() -> None:
    nothing = grid_of(PRODUCTS["caiso", "rt_5min"], 1).clear()
    assert expected.gaps(nothing, nothing["start"]).rows() == []


def test_what_is_due_or_there_is_expected() -> None:
    product = PRODUCTS["caiso", "rt_5min"]  # due when the interval begins
    there = held([(START + n * FIVE, START + n * FIVE, None) for n in (0, 3)])
    told = expected.told(product, grid_of(product, 6), there, START + FIVE)
    assert told.select("start", "present").rows() == [(START, True), (START + FIVE, False), (START + 3 * FIVE, True)]


def test_an_end_that_is_published_tells_and_other_stamps_are_no_gap() -> None:
    """An event run at 00:08:02 is a price beside the one that ends at 00:10; where that is missing, it is missing."""
    product, odd = PRODUCTS["nyiso", "rt_5min"], START + timedelta(minutes=8, seconds=2)
    stamps = [(START + FIVE, START), (odd, START + FIVE), (START + 2 * FIVE, odd), (START + 3 * FIVE, START + 2 * FIVE)]
    whole = held([(ts, start, ts) for ts, start in stamps])
    told = expected.told(product, grid_of(product, 3), whole, START + HOUR)
    assert told["present"].to_list() == [True] * 3
    lacking = expected.told(product, grid_of(product, 3), whole.filter(pl.col("ts") != START + 2 * FIVE), START + HOUR)
    assert lacking["present"].to_list() == [True, False, True]


HOLD = 30 * MINUTE


@given(st.lists(st.integers(-3600, 7200), max_size=12), st.booleans())
def test_holes_are_the_seconds_in_which_no_run_holds(offsets: list[int], known: bool) -> None:
    runs = sorted(START + timedelta(seconds=offset) for offset in offsets)
    end = START + HOUR
    frame = held([(at, at, at + HOLD if known else None) for at in runs])
    found = expected.holes(frame, HOLD, START, end)
    free = [
        at
        for at in (START + timedelta(seconds=n) for n in range(3600))
        if not any(run <= at < run + HOLD for run in runs)
    ]
    covered = {
        start + timedelta(seconds=n)
        for start, stop, _ in found.rows()
        for n in range(int((stop - start).total_seconds()))
    }
    assert covered == set(free)
    assert found["missing"].null_count() == found.height
    for before, after in zip(found.rows(), found.rows()[1:], strict=False):
        assert before[1] < after[0], "neighbours are one hole"


def test_runs_half_an_hour_apart_leave_no_hole() -> None:
    runs = [START + n * HOLD for n in range(3)]
    assert expected.holes(held([(at, at, at + HOLD) for at in runs]), HOLD, START, START + 90 * MINUTE).is_empty()
    late = [START, START + HOLD + timedelta(seconds=1)]
    found = expected.holes(held([(at, at, at + HOLD) for at in late]), HOLD, START, START + HOUR)
    assert found.rows() == [(START + HOLD, START + HOLD + timedelta(seconds=1), None)]


def test_today_is_what_is_expected_so_far() -> None:
    zone, noon = "America/Los_Angeles", midnight(date(2026, 11, 1), "America/Los_Angeles") + 12 * HOUR
    assert expected.today(PRODUCTS["caiso", "rt_5min"], zone, noon).height == 12 * 12 + 1
    assert expected.today(PRODUCTS["caiso", "da_hourly"], zone, noon).height == 25
    assert expected.today(PRODUCTS["miso", "rt_hourly"], "Etc/GMT+5", noon).is_empty()
