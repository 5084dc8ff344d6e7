"""Empty buckets: which there are, and what holds in them, against the same by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipeline import blocks, filled
from pipeline.filled import FILLED, ORDER
from pipeline.schema import TICKS, conform

MINUTE = timedelta(minutes=1)
AT = datetime(2026, 11, 1, 5, tzinfo=UTC)  # midnight in Chicago; an hour comes twice on this day


def who(*names: str, market: str = "ercot", zone: str = "America/Chicago") -> pl.DataFrame:
    return pl.DataFrame({"tenant": "public", "instrument": names}).with_columns(
        market=pl.lit(market), zone=pl.lit(zone)
    )


def ticks(*rows: dict[str, Any]) -> pl.DataFrame:
    every = [
        {"tenant": "public", "instrument": "A", "flags": 1, "version": 0, "source_rank": 0, "event_id": "",
         "known_at": row["start"], "ts": row["start"], "revision": 0} | row
        for row in rows
    ]  # fmt: skip
    schema = {**TICKS, "revision": pl.Int64()}
    return conform(pl.DataFrame(every, schema={name: schema[name] for name in every[0]} if every else schema), schema)


def tick(seconds: float, price: str, hold_s: float | None = 1800, **more: Any) -> dict[str, Any]:
    start = AT + timedelta(seconds=seconds)
    until = None if hold_s is None else start + timedelta(seconds=hold_s)
    return {"start": start, "price": Decimal(price), "hold_end": until} | more


def buckets(width_s: int, count: int, name: str = "A") -> pl.DataFrame:
    starts = [AT + number * timedelta(seconds=width_s) for number in range(count)]
    rows = [("public", name, start, start + timedelta(seconds=width_s)) for start in starts]
    return pl.DataFrame(
        rows, schema={name: FILLED[name] for name in ("tenant", "instrument", "start", "end")}, orient="row"
    )


def by_hand(rows: list[dict[str, Any]], start: datetime, end: datetime) -> tuple[object, ...]:
    """open, high, low, close, twap, covered_seconds, count, filled of a bucket."""
    usable = sorted((row for row in rows if row.get("flags", 1) == 1), key=lambda row: row["start"])
    inside = [row for row in usable if start <= row["start"] < end]
    if not inside:
        before = [row for row in usable if row["start"] < start][-1:]
        if not before or before[0]["hold_end"] is None or before[0]["hold_end"] <= start:
            return (None,) * 6 + (0, "null")
        price, until = before[0]["price"], min(before[0]["hold_end"], end)
        return (price,) * 5 + (Decimal((until - start).total_seconds()), 0, "hold")
    ends = [
        min(row["hold_end"], end, *(each["start"] for each in inside[at + 1 :][:1])) for at, row in enumerate(inside)
    ]
    held = [Decimal((until - row["start"]).total_seconds()) for row, until in zip(inside, ends, strict=True)]
    prices = [row["price"] for row in inside]
    mean = sum((price * each for price, each in zip(prices, held, strict=True)), Decimal(0)) / sum(held)
    shown = prices[0], max(prices), min(prices), prices[-1], round(mean, 9)
    return (*shown, sum(held), len(prices), "none")


@pytest.mark.parametrize("width_s", [60, 300, 900])
def test_runs_of_sced_hold_until_the_next_one_and_at_most_half_an_hour(width_s: int) -> None:
    """Off the grid, of both signs, two in one bucket, a gap of more than half an hour, one that does not count."""
    seconds = (14, 312, 615, 640, 1500, 5000, 5100, 5300)
    rows = [tick(each, f"{(each * 7) % 90 - 40}.5") for each in seconds]
    rows[6]["flags"] = 65
    made = filled.filled(buckets(width_s, 7200 // width_s), ticks(*rows))
    names = ("open", "high", "low", "close", "twap", "covered_seconds", "count", "filled")
    assert set(made["filled"]) == {"none", "hold", "null"}
    for row in made.to_dicts():
        assert tuple(row[name] for name in names) == by_hand(rows, row["start"], row["end"]), row["start"]


def test_the_example_of_the_manual() -> None:
    made = filled.filled(buckets(900, 1), ticks(tick(14, "20"), tick(312, "100"), tick(615, "20"))).row(0, named=True)
    assert (made["twap"], made["covered_seconds"], made["count"]) == (Decimal("47.358916479"), 886, 3)


def test_a_held_price_keeps_its_flags_revision_and_when_it_was_known() -> None:
    later = AT + timedelta(days=2)
    given = ticks(tick(0, "-7", 300, revision=2, known_at=later, flags=3))
    made = filled.filled(buckets(60, 6), given)
    assert made["close"].to_list() == [Decimal(-7)] * 5 + [None]
    assert made.select("count", "flags", "revision", "updated_at").rows() == [
        (1, 3, 2, later), *[(0, 3, 2, later)] * 4, (0, 0, 0, None),
    ]  # fmt: skip


def test_a_stream_holds_nowhere_and_nobody_holds_for_another() -> None:
    made = filled.filled(buckets(60, 3), ticks(tick(1, "5", None, volume=Decimal(2)), tick(2, "9", instrument="B")))
    assert made["filled"].to_list() == ["none", "null", "null"]
    assert made.select("twap", "vwap", "volume", "covered_seconds").row(0) == (None, 5, 2, 0)


def test_averages_are_rounded_once_half_to_even() -> None:
    made = filled.filled(buckets(60, 1), ticks(tick(0, "0.000000001"), tick(30, "0.000000002")))
    assert made["twap"][0] == Decimal("0.000000002")
    made = filled.filled(buckets(60, 1), ticks(tick(0, "0.000000002"), tick(30, "0.000000003")))
    assert made["twap"][0] == Decimal("0.000000002")


def test_buckets_of_a_range_in_order() -> None:
    span = AT + MINUTE, AT + 11 * MINUTE
    grid = filled.grid(who("B", "A"), "5m", span, None, 100)
    assert grid.select(ORDER[:2]).rows() == [
        (AT + minutes * MINUTE, name) for minutes in (5, 10) for name in ("A", "B")
    ]  # fmt: skip
    assert filled.grid(who("A"), "5m", (AT, AT), None, 100).is_empty()
    assert filled.grid(who("A"), "1m", (AT, AT + timedelta(days=36_000)), None, 10).height <= 12


@pytest.mark.parametrize("limit", [1, 2, 7, 40])
def test_the_first_buckets_of_several_zones_and_blocks(limit: int) -> None:
    """What a page takes of them is what the whole range begins with."""
    several = pl.concat([who("A", "B"), who("C", market="pjm", zone="America/New_York")])
    span = datetime(2026, 12, 18, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)  # with holidays
    for interval in ("1h", "1d"):
        for block in (None, "peak", "2x16", "7x8", "5x16"):
            whole = filled.grid(several, interval, span, block, 100_000)
            assert filled.grid(several, interval, span, block, limit).head(limit).equals(whole.head(limit))


def test_days_have_the_hours_that_they_have() -> None:
    grid = filled.grid(who("A"), "1d", (AT - timedelta(days=1), AT + timedelta(days=2)), None, 10)
    assert (grid["end"] - grid["start"]).dt.total_hours().to_list() == [24, 25, 24]


def test_hours_of_a_block_alone() -> None:
    day = date(2026, 11, 26)  # Thanksgiving
    start = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    grid = filled.grid(who("A"), "1h", (start, start + timedelta(days=1)), "2x16", 100)
    assert grid.height == 16
    assert blocks.within(grid["start"], "2x16", "ercot").all()
    assert filled.grid(who("A"), "1d", (start, start + timedelta(days=1)), "5x16", 100).is_empty()
