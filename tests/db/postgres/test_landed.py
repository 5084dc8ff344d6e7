"""How far each partition reaches without a hole, on a real server, looked at in one go and step by step."""

from random import Random
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.landed import Place, Reach, reaches
from db.postgres.ledger import LandedRange, append_ledger

pytestmark = pytest.mark.stack


@pytest.fixture
def topic_id() -> str:
    return uuid4().hex


def landed(topic_id: str, first: int, following: int, known: int, partition: int = 0) -> LandedRange:
    return LandedRange("t", topic_id, partition, first, following, following - first, 1, 0, 0, known, "b")


def of(found: dict[Place, Reach], topic_id: str) -> dict[int, Reach]:
    return {place.partition: reach for place, reach in found.items() if place.topic_id == topic_id}


@pytest.mark.parametrize(
    ("ranges", "wanted"),
    [
        ([(0, 10, 5)], Reach(10, 5)),
        ([(0, 10, 5), (10, 12, 7)], Reach(12, 7)),
        ([(0, 10, 5), (11, 12, 7)], Reach(10, 5)),
        ([(7, 10, 5), (10, 11, 6)], Reach(11, 6)),
        ([(0, 10, 5), (2, 4, 4), (9, 15, 8), (15, 16, 8)], Reach(16, 8)),
        ([(0, 100, 50), (10, 20, 20), (101, 102, 60)], Reach(100, 50)),
    ],
)
async def test_up_to_the_first_hole(
    engine: AsyncEngine, topic_id: str, ranges: list[tuple[int, int, int]], wanted: Reach
) -> None:
    await append_ledger(engine, [landed(topic_id, *each) for each in ranges])
    assert of(await reaches(engine, {}), topic_id) == {0: wanted}


async def test_partitions_and_topics_are_told_apart(engine: AsyncEngine, topic_id: str) -> None:
    other = uuid4().hex
    await append_ledger(engine, [landed(topic_id, 0, 3, 30), landed(topic_id, 0, 4, 40, 1), landed(other, 0, 5, 50, 7)])
    found = await reaches(engine, {})
    assert of(found, topic_id) == {0: Reach(3, 30), 1: Reach(4, 40)}
    assert found[Place("t", other, 7)] == Reach(5, 50)


@pytest.mark.parametrize("seed", range(12))
async def test_step_by_step_is_in_one_go(engine: AsyncEngine, topic_id: str, seed: int) -> None:
    """Batches of a partition land in any order; the first one comes first, as a partition is known from it on."""
    chance = Random(seed)
    sizes = [chance.randint(1, 5) for _ in range(chance.randint(2, 10))]
    starts = [sum(sizes[:number]) for number in range(len(sizes) + 1)]
    order = [0, *chance.sample(range(1, len(sizes)), len(sizes) - 1)]
    found: dict[Place, Reach] = {}
    for count, number in enumerate(order, 1):
        await append_ledger(engine, [landed(topic_id, starts[number], starts[number + 1], 10 * number + 10)])
        whole = min(set(range(len(sizes) + 1)) - set(order[:count]))
        if chance.random() < 0.7:
            found = await reaches(engine, found)
            assert of(found, topic_id) == {0: Reach(starts[whole], 10 * whole)}
    assert of(await reaches(engine, found), topic_id) == of(await reaches(engine, {}), topic_id)
