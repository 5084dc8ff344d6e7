from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline import bars
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
    assert found.columns == list(bars.TOUCHED)
    listed = found.select("instrument", "interval", "start", "end").rows()
    assert len(set(listed)) == len(listed)
    return set(listed)


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


def test_bucket_is_ten_seconds_for_streams_and_the_utc_day_for_intervals() -> None:
    at = datetime(2024, 3, 10, 23, 59, 59, 5, tzinfo=UTC)
    ticks = frame([(KINDS[0], "A", at), (KINDS[2], "A", at)])
    expected = [datetime(2024, 3, 10, tzinfo=UTC), datetime(2024, 3, 10, 23, 59, 50, tzinfo=UTC)]
    assert ticks.select(bars.bucket(ticks)).to_series().to_list() == expected
    stream = ticks[1:]
    assert stream.select(bars.bucket(stream)).item() == expected[1]


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
