"""Each attempt of a dead letter is read once, whoever sends it and however often."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.ledger import LandedRange, append_ledger
from db.postgres.replays import Place, Sent, ask, newest, readers, take

pytestmark = pytest.mark.stack


@pytest.fixture
def topic() -> str:
    return uuid4().hex


async def test_the_first_message_that_is_met_takes_an_attempt_for_ever(engine: AsyncEngine, topic: str) -> None:
    origin, first, second = f"{topic}/0/1", Place(topic, 0, 10), Place(topic, 1, 3)
    assert await take(engine, {first: (origin, 2)}) == {first}
    assert await take(engine, {second: (origin, 2)}) == set()
    assert await take(engine, {second: (origin, 2), first: (origin, 2)}) == {first}
    assert await take(engine, {second: (origin, 3)}) == {second}
    found = await readers(engine)
    assert (found[origin, 2], found[origin, 3]) == (first, second)


async def test_of_several_in_one_batch_the_first_takes_it(engine: AsyncEngine, topic: str) -> None:
    places = [Place(topic, 0, offset) for offset in (12, 3, 7)]
    assert await take(engine, dict.fromkeys(places, (f"{topic}/0/1", 2))) == {places[1]}


async def test_an_attempt_that_was_asked_for_is_free_until_it_is_met(engine: AsyncEngine, topic: str) -> None:
    origin, place = f"{topic}/0/1", Place(topic, 0, 10)
    await ask(engine, [(origin, 2), (f"{topic}/0/2", 2)])
    await ask(engine, [(origin, 2)])
    assert (await newest(engine))[origin] == Sent(2, read=False, landed=False)
    assert await take(engine, {place: (origin, 2)}) == {place}
    await ask(engine, [(origin, 2)])
    assert (await newest(engine))[origin] == Sent(2, read=True, landed=False)
    assert (await readers(engine))[origin, 2] == place


@pytest.mark.parametrize(("offset", "landed"), [(9, False), (10, True), (19, True), (20, False), (31, True)])
async def test_it_has_landed_when_the_ledger_holds_it(
    engine: AsyncEngine, topic: str, offset: int, landed: bool
) -> None:
    ranges = [(10, 20), (12, 14), (30, 40)]
    await append_ledger(engine, [LandedRange("t", topic, 0, a, b, b - a, 1, 0, 0, 1, "b") for a, b in ranges])
    await take(engine, {Place(topic, 0, offset): (f"{topic}/9/9", 2)})
    await take(engine, {Place(topic, 1, 11): (f"{topic}/9/8", 2)})
    found = await newest(engine)
    assert found[f"{topic}/9/9"] == Sent(2, read=True, landed=landed)
    assert found[f"{topic}/9/8"] == Sent(2, read=True, landed=False), "another partition"


async def test_of_racing_workers_one_gets_each(engine: AsyncEngine, topic: str) -> None:
    origins = [(f"{topic}/0/{n}", 2) for n in range(40)]
    tries = [
        {
            Place(topic, racer, n): each
            for n, each in (enumerate(origins) if racer % 2 else reversed([*enumerate(origins)]))
        }
        for racer in range(8)
    ]
    taken = await asyncio.gather(*(take(engine, each) for each in tries))
    owners = sorted(place.offset for each in taken for place in each)
    assert owners == list(range(40))


async def test_nothing_wanted_is_nothing(engine: AsyncEngine) -> None:
    await ask(engine, [])
    assert await take(engine, {}) == set()
