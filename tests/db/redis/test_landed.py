"""The landed log on a real server: everything once, in order, bounded, and a gap where something may be missed."""

from functools import partial

import polars as pl
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from db.redis import landed, telling
from db.redis.landed import BEGINNING, STREAM, Bounds, Change
from db.redis.latest import Written, write_latest
from db.redis.telling import Told
from service import clock
from tests.db.redis.test_latest import DAY, offer
from tests.polling import until

pytestmark = pytest.mark.stack

BOUNDS = Bounds(3600, 1000)
write = partial(write_latest, bounds=BOUNDS)


@pytest.fixture(autouse=True)
def _empty(redis: Redis) -> None:
    """The log is empty."""
    redis.delete(STREAM)


def append_bars(redis: Redis, changes: list[tuple[str, Change]], bounds: Bounds) -> None:
    telling.append(redis, "bar", (Told(*each, b"") for each in changes), bounds)


def bars(count: int, first: int = 0) -> list[tuple[str, Change]]:
    return [("t", Change(f"n{number}", "5m", number, 0)) for number in range(first, first + count)]


def millisecond(redis: Redis) -> int:
    """The server's clock, of which ids are made."""
    seconds, micros = redis.time()
    return seconds * 1000 + micros // 1000


def names(found: landed.Read) -> list[str]:
    return [change.instrument for entry in found.entries for change in entry.changes]


def test_changes_come_in_landing_order_by_tenant_and_in_entries_of_bounded_size(redis: Redis) -> None:
    append_bars(redis, [*bars(251), ("u", Change('a"b/é', "1d", -1, 3))], BOUNDS)
    append_bars(redis, [("u", Change("x", "1m", 5, 1))], BOUNDS)
    found = landed.read(redis, BEGINNING)
    assert [(entry.tenant, entry.kind, len(entry.changes)) for entry in found.entries] == [
        ("t", "bar", 250), ("t", "bar", 1), ("u", "bar", 1), ("u", "bar", 1),
    ]  # fmt: skip
    assert names(found) == [*(f"n{number}" for number in range(251)), 'a"b/é', "x"]
    assert found.entries[2].changes == [Change('a"b/é', "1d", -1, 3)]
    assert found.position == found.entries[-1].id == landed.newest(redis)
    assert not found.gap


def test_nothing_that_changed_adds_nothing(redis: Redis) -> None:
    append_bars(redis, [], BOUNDS)
    assert landed.read(redis, BEGINNING) == ((), BEGINNING, False)
    assert landed.newest(redis) == BEGINNING


def test_a_reader_that_goes_on_from_its_position_misses_nothing(redis: Redis) -> None:
    position, seen = landed.newest(redis), list[str]()
    for turn in range(5):
        append_bars(redis, bars(turn * 300, first=1000 * turn), BOUNDS)
        found = landed.read(redis, position)
        assert not found.gap
        position, seen = found.position, seen + names(found)
    assert seen == [change.instrument for turn in range(5) for _, change in bars(turn * 300, first=1000 * turn)]


def test_one_read_is_bounded_and_the_next_goes_on(redis: Redis) -> None:
    for number in range(landed.A_READ + 1):
        redis.xadd(STREAM, {"seq": 1, "values": "", "tenant": "t", "kind": "bar", "rows": f'[["n{number}","5m",0,0]]'})
    first = landed.read(redis, BEGINNING)
    second = landed.read(redis, first.position)
    assert (len(first.entries), names(second)) == (landed.A_READ, [f"n{landed.A_READ}"])


def test_the_log_is_bounded_by_entries_and_tells_the_gap(redis: Redis) -> None:
    few = Bounds(3600, 3)
    append_bars(redis, bars(1), few)
    start = landed.newest(redis)
    for number in (1, 2):
        append_bars(redis, bars(1, first=number), few)
    whole = landed.read(redis, start)
    assert (names(whole), whole.gap) == (["n1", "n2"], False)
    for number in (3, 4):
        append_bars(redis, bars(1, first=number), few)
    torn, from_the_beginning = landed.read(redis, start), landed.read(redis, BEGINNING)
    assert (names(torn), torn.gap) == (["n2", "n3", "n4"], True)
    assert (names(from_the_beginning), from_the_beginning.gap) == (["n2", "n3", "n4"], True)
    assert not landed.read(redis, torn.position).gap


def test_the_log_is_bounded_by_time(redis: Redis) -> None:
    long_ago = clock.now_us() // 1000 - 61_000
    redis.xadd(
        STREAM, {"seq": 1, "values": "", "tenant": "t", "kind": "bar", "rows": '[["old","5m",0,0]]'}, id=f"{long_ago}-0"
    )
    append_bars(redis, bars(1), Bounds(120, 1000))
    assert names(landed.read(redis, BEGINNING)) == ["old", "n0"]
    append_bars(redis, [], Bounds(60, 1000))
    assert names(landed.read(redis, BEGINNING)) == ["n0"]
    assert landed.read(redis, f"{long_ago}-0").gap, "nobody can tell whether it was the newest one that was dropped"


def test_a_log_that_was_lost_is_a_gap_too(redis: Redis) -> None:
    append_bars(redis, bars(2), BOUNDS)
    position = landed.newest(redis)
    redis.delete(STREAM)
    assert landed.read(redis, position) == ((), position, False), "nothing came yet"
    until(lambda: millisecond(redis) > int(position.partition("-")[0]), what="another millisecond, so that ids grow")
    append_bars(redis, bars(1, first=5), BOUNDS)
    found = landed.read(redis, position)
    assert (names(found), found.gap) == (["n5"], True)


def test_a_price_is_told_as_it_changes_and_only_then(redis: Redis, tenant: str) -> None:
    assert write(redis, offer(tenant, 'x"1', 1, 5, "1.5")) == Written(changed=1)
    assert write(redis, offer(tenant, 'x"1', 1, 6, "1.5")) == Written(unchanged=1)
    assert write(redis, offer(tenant, 'x"1', 1, 6, "9")) == Written(older=1)
    assert write(redis, offer(tenant, 'x"1', 2, 1, "9").with_columns(revision=pl.lit(4, pl.UInt64))) == Written(
        changed=1
    )
    assert write(redis, offer(tenant, 'x"1', 3, 1, None)) == Written(changed=1)
    start = int(DAY.timestamp()) * 1_000_000
    assert [(each.tenant, each.kind, each.changes) for each in landed.read(redis, BEGINNING).entries] == [
        (tenant, "latest", [Change('x"1', "", start, 0)]),
        (tenant, "latest", [Change('x"1', "", start, 4)]),
        (tenant, "latest", [Change('x"1', "", None, None)]),
    ]


def test_prices_and_bars_share_one_order_and_one_bound(redis: Redis, tenant: str) -> None:
    few = Bounds(3600, 3)
    for number in range(3):
        write_latest(redis, offer(tenant, f"p{number}", 1, 1, "1"), few)
        append_bars(redis, [(tenant, Change(f"b{number}", "1m", 0, 0))], few)
    assert names(landed.read(redis, BEGINNING)) == ["b1", "p2", "b2"]
    write_latest(redis, offer(tenant, "p3", 1, 1, "1"), few)
    assert names(landed.read(redis, BEGINNING)) == ["p2", "b2", "p3"]


def test_many_prices_are_told_in_one_entry_a_call(redis: Redis, tenant: str) -> None:
    write(redis, pl.concat([offer(tenant, f"n{number:03}", 1, 1, "1") for number in range(300)]))
    write(redis, pl.concat([offer(tenant, f"n{number:03}", 1, 2, "1" if number else "2") for number in range(300)]))
    found = landed.read(redis, BEGINNING)
    assert [len(entry.changes) for entry in found.entries] == [250, 50, 1]
    assert names(found) == [*(f"n{number:03}" for number in range(300)), "n000"]


async def test_a_follower_waits_for_what_comes_and_is_told_of_gaps(redis: Redis, reader: AsyncRedis) -> None:
    assert await landed.follow(reader, BEGINNING, 0.01) == ((), BEGINNING, False)
    append_bars(redis, bars(1), BOUNDS)
    first = await landed.follow(reader, BEGINNING, 5)
    assert (names(first), first.gap) == (["n0"], False)
    assert first.position == await landed.newest_async(reader)
    append_bars(redis, bars(3, first=1), BOUNDS)
    second = await landed.follow(reader, first.position, 5)
    assert (names(second), second.gap) == (["n1", "n2", "n3"], False)
    append_bars(redis, bars(1, first=4), Bounds(3600, 1))
    torn = await landed.follow(reader, first.position, 5)
    assert (names(torn), torn.gap) == (["n4"], True)
