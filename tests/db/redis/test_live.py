"""The log and the latest prices as the live stream reads them, on a real server."""

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from db.redis import live, telling, tickets
from db.redis.landed import BEGINNING, COUNTERS, STREAM, Bounds, Change
from db.redis.latest import write_latest
from db.redis.telling import Told
from tests.db.redis.test_latest import offer
from tests.polling import until_async

pytestmark = pytest.mark.stack

BOUNDS = Bounds(3600, 1000)


@pytest.fixture(autouse=True)
def _empty(redis: Redis) -> None:
    redis.delete(STREAM, COUNTERS)


def tell(redis: Redis, *names: str) -> None:
    for name in names:
        telling.append(redis, "bar", [Told("t", Change(name, "5m", 1, 0))], BOUNDS)


async def test_where_nothing_was_told_the_epoch_is_named_and_stands(redis: Redis, reader: AsyncRedis) -> None:
    first = await live.head(reader)
    assert (first.position, first.counters.last) == (BEGINNING, {})
    assert len(first.counters.epoch) == 32
    tell(redis, "a")
    again = await live.head(reader)
    assert (again.counters.epoch, again.counters.last) == (first.counters.epoch, {"bar": 1})
    redis.delete(STREAM, COUNTERS)
    assert (await live.head(reader)).counters.epoch != first.counters.epoch


async def test_a_look_gives_what_came_and_the_numbers(redis: Redis, reader: AsyncRedis) -> None:
    assert (await live.look(reader, BEGINNING, 0.01)).entries == []
    tell(redis, "a", "b")
    look = await live.look(reader, BEGINNING, 5)
    assert [(entry.seq, entry.changes[0].instrument) for entry in look.entries] == [(1, "a"), (2, "b")]
    assert look.counters.last == {"bar": 2}
    assert (await live.look(reader, look.entries[-1].id, 0.01)).entries == []


async def test_entries_of_a_kind_are_read_part_by_part_up_to_a_position(
    redis: Redis, reader: AsyncRedis, tenant: str
) -> None:
    for number in range(5):
        tell(redis, f"b{number}")
        write_latest(redis, offer(tenant, f"p{number}", 1, 1, "1"), BOUNDS)
    until = (await live.head(reader)).position
    tell(redis, "later")
    seqs = list[int]()
    following: str | None = BEGINNING
    while following is not None:
        entries, following = await live.since(reader, "bar", following, until, 3)
        seqs += [entry.seq for entry in entries]
    assert seqs == [1, 2, 3, 4, 5]


async def test_prices_are_those_of_the_moment_in_which_the_log_ended(
    redis: Redis, reader: AsyncRedis, tenant: str
) -> None:
    for number in range(3):
        write_latest(redis, offer(tenant, f"p{number}", 1, 1, str(number)), BOUNDS)
    write_latest(redis, offer(tenant, "p1", 2, 1, None), BOUNDS)
    found = await live.prices(reader, {tenant: ["p0", "p1", "p2", "nope"], "other": ["p0"]})
    assert {key: price["price"] for key, price in found.prices.items()} == {
        (tenant, "p0"): "0.000000000", (tenant, "p2"): "2.000000000",
    }  # fmt: skip
    assert found.head.counters.last == {"latest": 4}
    assert found.head == await live.head(reader)


async def test_a_ticket_is_taken_once_and_ends(reader: AsyncRedis, redis: Redis) -> None:
    await tickets.keep(reader, "a ticket", "key", 30)
    assert not redis.keys("*a ticket*"), "only its hash is there"
    assert [await tickets.take(reader, "a ticket"), await tickets.take(reader, "a ticket")] == ["key", None]
    await tickets.keep(reader, "short", "key", 1)
    await until_async(lambda: not redis.keys("ticket:*"), 5, "it has ended")
    assert await tickets.take(reader, "short") is None
