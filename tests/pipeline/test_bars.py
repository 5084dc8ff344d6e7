from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline import bars, runs
from pipeline.schema import INSTANT

SECONDS = {"10s": 10, "1m": 60, "5m": 300, "15m": 900, "1h": 3600}
KINDS = (
    ("caiso", "rt_5min", 0, "5m"),
    ("caiso", "da_hourly", 0, "1h"),
    ("miso", "tick", 1, "10s"),
    ("x", "futures", 1, "10s"),
)
ZONES = {"caiso": "America/Los_Angeles", "miso": "Etc/GMT+5", "x": "UTC"}
instants = st.datetimes(datetime(2024, 3, 9), datetime(2024, 3, 12)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
rows = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("AB"), instants), max_size=30)


def frame(cases: list[tuple[tuple[str, str, int, str], str, datetime]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "tenant": pl.Series(["t"] * len(cases), dtype=pl.String),
            "instrument": pl.Series([f"{kind[0]}.{kind[1]}.{name}" for kind, name, _ in cases], dtype=pl.String),
            "market": pl.Series([kind[0] for kind, _, _ in cases], dtype=pl.String),
            "product": pl.Series([kind[1] for kind, _, _ in cases], dtype=pl.String),
            "source_rank": pl.Series([kind[2] for kind, _, _ in cases], dtype=pl.UInt8),
            "ts": pl.Series([at for _, _, at in cases], dtype=INSTANT),
            "start": pl.Series([at for _, _, at in cases], dtype=INSTANT),
        }
    )


def cut(at: datetime, interval: str, market: str) -> tuple[datetime, datetime]:
    if interval == "1d":
        zone = ZoneInfo(ZONES[market])
        day = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        after = (day.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
        return day.astimezone(UTC), after.astimezone(UTC)
    step = timedelta(seconds=SECONDS[interval])
    start = at - (at - datetime(2000, 1, 1, tzinfo=UTC)) % step
    return start, start + step


def coordinates(found: pl.DataFrame) -> set[tuple[str, str, datetime, datetime]]:
    """The single buckets of the runs; none stands twice, and no run ends where the next one of its kind begins."""
    assert found.schema == bars.TOUCHED
    listed = [bucket for row in found.iter_rows(named=True) for bucket in buckets(row)]
    assert len(set(listed)) == len(listed) == bars.count(found)
    runs = found.filter(pl.col("interval") != "1d")
    ends = runs.select(*(pl.col(name) for name in ("tenant", "instrument", "interval")), start="end")
    assert runs.join(ends, on=ends.columns, how="semi").is_empty()
    return set(listed)


def buckets(row: dict[str, Any]) -> Iterator[tuple[str, str, datetime, datetime]]:
    start, end = row["start"], row["end"]
    step = end - start if row["interval"] == "1d" else timedelta(seconds=SECONDS[row["interval"]])
    while start < end:
        yield row["instrument"], row["interval"], start, start + step
        start += step


@given(rows)
def test_touched_and_coarser_equal_a_second_reading(
    cases: list[tuple[tuple[str, str, int, str], str, datetime]],
) -> None:
    finest = bars.touched(frame(cases))
    assert coordinates(finest) == {(f"{k[0]}.{k[1]}.{name}", k[3], *cut(at, k[3], k[0])) for k, name, at in cases}
    assert coordinates(bars.coarser(finest)) == {
        (f"{k[0]}.{k[1]}.{name}", each.name, *cut(at, each.name, k[0]))
        for k, name, at in cases
        for each in bars.intervals(k[0], k[1])[1:]
    }


@given(rows, rows)
def test_united_is_what_both_together_touch(
    one: list[tuple[tuple[str, str, int, str], str, datetime]],
    other: list[tuple[tuple[str, str, int, str], str, datetime]],
) -> None:
    parts = [bars.touched(frame(one)), bars.touched(frame(other)), bars.touched(frame(one))]
    assert coordinates(bars.united(parts)) == coordinates(bars.touched(frame(one + other)))


@given(rows)
def test_halves_are_all_buckets_once(cases: list[tuple[tuple[str, str, int, str], str, datetime]]) -> None:
    whole = bars.touched(frame(cases))
    waiting, single = [whole] if cases else [], list[pl.DataFrame]()
    while waiting:
        first, second = bars.halves(waiting.pop())
        if first.is_empty():
            single.append(second)
        else:
            waiting += [first, second]
    assert all(bars.count(each) == 1 for each in single)
    found = [bucket for each in single for row in each.iter_rows(named=True) for bucket in buckets(row)]
    assert len(found) == len(set(found))
    assert set(found) == coordinates(whole)


def test_tenants_do_not_share_a_run() -> None:
    at = datetime(2024, 3, 10, tzinfo=UTC)
    ticks = frame([(KINDS[2], "A", at), (KINDS[2], "A", at + timedelta(seconds=10))])
    found = bars.touched(ticks.with_columns(tenant=pl.Series(["t", "u"])))
    assert found.select("tenant", "start").sort("tenant").rows() == [("t", at), ("u", at + timedelta(seconds=10))]


def test_an_instruments_number_may_be_another_one_at_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is where another thread numbers its instruments meanwhile."""
    touched = bars.touched(frame([(KINDS[0], name, datetime(2024, 3, 9, 12, tzinfo=UTC)) for name in "AB"]))
    expected, real, calls = bars.coarser(touched), runs.codes, count(1)

    def other(keys: pl.DataFrame) -> pl.Series:
        return real(keys) + 1_000 * next(calls)

    monkeypatch.setattr(runs, "codes", other)
    assert_frame_equal(bars.coarser(touched), expected, check_row_order=False)


def test_intervals_start_at_the_products_finest() -> None:
    assert [each.name for each in bars.intervals("caiso", "da_hourly")] == ["1h", "1d"]
    assert [each.name for each in bars.intervals("caiso", "rt_15min")] == ["15m", "1h", "1d"]
    assert [each.name for each in bars.intervals("any", "thing")] == ["10s", "1m", "5m", "15m", "1h", "1d"]


def test_the_instruments_own_zone_decides_its_day() -> None:
    ticks = frame([(KINDS[2], "A", datetime(2024, 3, 10, 9, tzinfo=UTC))])
    own = ticks.with_columns(zone=pl.lit("America/Los_Angeles"))
    day = bars.coarser(bars.touched(own)).filter(pl.col("interval") == "1d")
    assert day.select("start", "end").row(0) == (
        datetime(2024, 3, 10, 8, tzinfo=UTC),
        datetime(2024, 3, 11, 7, tzinfo=UTC),
    )


def test_a_price_by_its_end_touches_every_bucket_in_which_it_may_begin() -> None:
    ended, grid = ("nyiso", "rt_5min", 0, "5m"), datetime(2024, 3, 10, 9, 15, tzinfo=UTC)
    cases = [(ended, "A", grid), (ended, "B", grid + timedelta(seconds=182)), (KINDS[0], "A", grid)]
    ticks = frame(cases).with_columns(start=pl.Series([grid, grid, grid]) - timedelta(seconds=90))
    five = timedelta(minutes=5)
    assert coordinates(bars.touched(ticks)) == {
        (name, "5m", start, start + five)
        for name, start in (
            ("nyiso.rt_5min.A", grid - five), ("nyiso.rt_5min.B", grid - five), ("nyiso.rt_5min.B", grid),
            ("caiso.rt_5min.A", grid - five),
        )
    }  # fmt: skip
    assert bars.by_end(ticks).to_list() == [True, True, False]
