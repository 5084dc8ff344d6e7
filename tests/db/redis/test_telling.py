"""What the landed log holds beside names: numbers that grow by one, values, and offsets that are told once."""

from functools import partial
from random import Random

import msgspec
import pytest
from redis import Redis

from db.redis import landed, telling
from db.redis.contents import decoded
from db.redis.landed import BEGINNING, COUNTERS, STREAM, Bounds, Change, Offsets
from db.redis.latest import write_latest
from db.redis.telling import TOLD, Landed, Told, keys, ordered
from pipeline.schema import PRICE
from tests.db.redis.test_latest import offer

pytestmark = pytest.mark.stack

BOUNDS = Bounds(3600, 100_000)
tell = partial(telling.append_ticks, bounds=BOUNDS)


@pytest.fixture(autouse=True)
def _empty(redis: Redis) -> None:
    redis.delete(STREAM, COUNTERS, TOLD)


def bar(name: str, content: bytes = b"", order: str = "") -> Told:
    return Told("t", Change(name, "5m", 1, 0), content, order)


def ranges(redis: Redis) -> list[tuple[int, int]]:
    found = [entry.offsets for entry in landed.read(redis, BEGINNING).entries]
    return [(each.first, each.next) for each in found if each is not None]


def counters(redis: Redis) -> landed.Counters:
    return landed.counters(redis.hgetall(COUNTERS))  # pyright: ignore[reportArgumentType]


def test_entries_of_a_kind_are_numbered_without_a_hole(redis: Redis, tenant: str) -> None:
    for number in range(3):
        telling.append(redis, "bar", [bar("a")], BOUNDS)
        write_latest(redis, offer(tenant, f"p{number}", 1, 1, "1"), BOUNDS)
        telling.append(redis, "curve", [Told("t", Change("c", "", 0, 1), b"{}")], BOUNDS)
        tell(redis, Landed("x", 0, number, number + 1, [("t", 1, 2)]))
    found = landed.read(redis, BEGINNING).entries
    for kind in ("bar", "latest", "curve", "tick"):
        assert [each.seq for each in found if each.kind == kind] == [1, 2, 3]
    assert counters(redis).last == {"bar": 3, "latest": 3, "curve": 3, "tick": 3}


def test_an_epoch_stands_until_redis_is_emptied(redis: Redis, tenant: str) -> None:
    assert counters(redis) == ("", {})
    telling.append(redis, "bar", [bar("a")], BOUNDS)
    first = counters(redis).epoch
    write_latest(redis, offer(tenant, "p", 1, 1, "1"), BOUNDS)
    assert counters(redis).epoch == first
    redis.delete(STREAM, COUNTERS)
    write_latest(redis, offer(tenant, "p", 1, 2, "2"), BOUNDS)
    assert counters(redis).epoch not in ("", first)


def test_an_entry_holds_what_its_bars_changed_to_in_their_order(redis: Redis) -> None:
    telling.append(redis, "bar", [bar(f"n{number}", b'{"n":%d}' % number) for number in range(260)], BOUNDS)
    entries = landed.read(redis, BEGINNING).entries
    assert [[msgspec.json.decode(each)["n"] for each in landed.contents(entry)] for entry in entries] == [
        [*range(250)],
        [*range(250, 260)],
    ]


def test_an_entry_of_prices_holds_those_that_changed(redis: Redis, tenant: str) -> None:
    write_latest(redis, offer(tenant, "x", 1, 1, "-1.000000001"), BOUNDS)
    [entry] = landed.read(redis, BEGINNING).entries
    [content] = landed.contents(entry)
    rows = decoded([msgspec.json.decode(content)], {"price": PRICE})
    assert str(rows["price"].item()) == "-1.000000001"
    write_latest(redis, offer(tenant, "x", 2, 1, None), BOUNDS)
    gone = landed.read(redis, entry.id).entries[0]
    assert (gone.changes, landed.contents(gone)) == ([Change("x", "", None, None)], [])


def test_what_is_told_late_does_not_follow_what_is_newer(redis: Redis, tenant: str) -> None:
    def told(ver: int, state: int, interval: str = "5m") -> int:
        before = counters(redis).last.get("bar", 0)
        telling.append(redis, "bar", [Told(tenant, Change("x", interval, 1, ver), b"{}", ordered(ver, state))], BOUNDS)
        return counters(redis).last.get("bar", 0) - before

    huge = 2**60
    assert [told(huge, 1), told(huge + 1, 2), told(huge, 1), told(huge + 1, 2), told(huge + 1, 3)] == [1, 1, 0, 0, 1]
    assert told(huge, 1, "1h") == 1, "another bar"
    redis.delete(STREAM, COUNTERS, *keys()[2:])
    assert told(huge, 1) == 1, "an emptied Redis knows of nothing"


def test_of_several_bars_those_that_are_new_are_told(redis: Redis, tenant: str) -> None:
    def offer(*vers: int) -> list[Told]:
        return [Told(tenant, Change(f"n{n}", "5m", 1, 0), b"{}", ordered(ver, 0)) for n, ver in enumerate(vers)]

    telling.append(redis, "bar", offer(5, 5, 5), BOUNDS)
    telling.append(redis, "bar", offer(5, 6, 4), BOUNDS)
    found = landed.read(redis, BEGINNING).entries
    assert [[change.instrument for change in each.changes] for each in found] == [["n0", "n1", "n2"], ["n1"]]


def test_offsets_are_told_once_however_they_are_cut(redis: Redis) -> None:
    assert tell(redis, Landed("x", 3, 10, 20, [("t", 5, 9)]))
    assert not tell(redis, Landed("x", 3, 10, 20, [("t", 5, 9)]))
    assert tell(redis, Landed("x", 3, 5, 25, [("t", 5, 9), ("u", 6, 6)]))
    found = landed.read(redis, BEGINNING).entries
    assert [(each.tenant, each.offsets) for each in found] == [
        ("t", Offsets("x:3", 10, 20, 5, 9)),
        ("t", Offsets("x:3", 5, 10, 5, 9)),
        ("u", Offsets("x:3", 5, 10, 6, 6)),
        ("t", Offsets("x:3", 20, 25, 5, 9)),
        ("u", Offsets("x:3", 20, 25, 6, 6)),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_in_any_order_of_cuts_every_offset_is_told_exactly_once(redis: Redis, seed: int) -> None:
    random, base = Random(seed), 2**40
    wanted = set[int]()
    for _ in range(60):
        first = base + random.randrange(200)
        following = first + random.randrange(1, 30)
        fresh = not wanted.issuperset(range(first, following))
        assert tell(redis, Landed("x", 0, first, following, [("t", 0, 0)])) == fresh
        wanted |= {*range(first, following)}
    told = [offset for first, following in ranges(redis) for offset in range(first, following)]
    assert len(told) == len(set(told))
    assert set(told) == wanted


def test_partitions_and_topics_made_again_are_told_apart(redis: Redis) -> None:
    for topic, partition in (("x", 0), ("x", 1), ("y/+", 0)):
        assert tell(redis, Landed(topic, partition, 0, 5, [("t", 0, 0)]))
    assert ranges(redis) == [(0, 5)] * 3
