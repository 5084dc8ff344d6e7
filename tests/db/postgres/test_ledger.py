"""The ledger on a real server: ranges join without holes, and nothing in it changes."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.ledger import LandedRange, Outcome, append_ledger, contiguous_end, known_at_floor, outcome, watermark
from db.postgres.ledger_ranges import ledger_ranges

pytestmark = pytest.mark.stack


@pytest.fixture
def topic_id() -> str:
    return uuid4().hex


def _range(topic_id: str, first: int, following: int, known: int = 1, partition: int = 0) -> LandedRange:
    return LandedRange("raw", topic_id, partition, first, following, following - first, 1, 0, 0, known, "b")


@pytest.mark.parametrize(
    ("ranges", "start", "end"),
    [
        ([], 7, 7),
        ([(0, 10)], 0, 10),
        ([(0, 10), (10, 20)], 0, 20),
        ([(10, 20), (0, 10), (21, 30)], 0, 20),
        ([(5, 10)], 0, 0),
        ([(0, 10), (2, 4), (9, 15), (15, 16)], 0, 16),
        ([(0, 100), (10, 20), (50, 60), (101, 102)], 0, 100),
        ([(0, 10), (10, 20)], 15, 20),
        ([(0, 10), (12, 20)], 10, 10),
        ([(0, 10)], 40, 40),
    ],
)
async def test_the_contiguous_end(
    engine: AsyncEngine, topic_id: str, ranges: list[tuple[int, int]], start: int, end: int
) -> None:
    await append_ledger(engine, [_range(topic_id, *each) for each in ranges])
    assert await contiguous_end(engine, topic_id, 0, start) == end
    assert await contiguous_end(engine, topic_id, 1, start) == start


async def test_the_outcome_is_of_the_ranges_that_hold_the_offsets(engine: AsyncEngine, topic_id: str) -> None:
    ranges = [
        LandedRange("raw", topic_id, partition, first, first + 10, 8, 100, rejects, dead, 1, "b")
        for partition, first, rejects, dead in (
            (0, 0, 7, 7),
            (0, 10, 3, 1),
            (0, 20, 2, 2),
            (0, 30, 9, 9),
            (1, 10, 9, 9),
        )
    ]
    await append_ledger(engine, ranges)
    assert await outcome(engine, topic_id, 0, 10, 30) == Outcome(16, 200, 5, 3)
    assert await outcome(engine, topic_id, 0, 19, 20) == Outcome(8, 100, 3, 1)
    assert await outcome(engine, topic_id, 0, 40, 50) == Outcome()
    assert Outcome(1, 2, 3, 4) + Outcome(10, 20, 30, 40) == Outcome(11, 22, 33, 44)


async def test_a_range_that_is_there_stays_as_it_is(engine: AsyncEngine, topic_id: str) -> None:
    assert await append_ledger(engine, [_range(topic_id, 0, 10, known=5)]) == 1
    assert await append_ledger(engine, [_range(topic_id, 0, 10, known=9), _range(topic_id, 10, 12)]) == 1
    frame = await ledger_ranges(engine, topic_id)
    assert frame.select("first_offset", "next_offset", "known_at_us").rows() == [(0, 10, 5), (10, 12, 1)]
    assert await append_ledger(engine, []) == 0


async def test_the_floor_counts_only_what_landed_before(engine: AsyncEngine, topic_id: str) -> None:
    ranges = [_range(topic_id, 0, 10, 50), _range(topic_id, 10, 20, 40), _range(topic_id, 20, 30, 90)]
    await append_ledger(engine, [*ranges, _range(topic_id, 0, 10, 99, partition=1)])
    floors = [await known_at_floor(engine, topic_id, 0, before) for before in (0, 9, 10, 20, 29, 30)]
    assert floors == [0, 0, 50, 50, 50, 90]
    assert await watermark(engine) >= 99


@pytest.mark.parametrize("statement", ["UPDATE ledger SET ticks = 0", "DELETE FROM ledger", "TRUNCATE ledger"])
async def test_nothing_in_it_can_be_changed(engine: AsyncEngine, topic_id: str, statement: str) -> None:
    await append_ledger(engine, [_range(topic_id, 0, 1)])
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="append-only"):
            await connection.execute(text(statement))
