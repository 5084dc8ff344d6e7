"""Claims, acks, starts, the pass's turn and the generation on a real server."""

import time
from uuid import uuid4

import pytest
from redis import Redis

from db.redis import acks, claims, generation
from db.redis.acks import Ack
from db.redis.client import run_id
from db.redis.passes import Passes

pytestmark = pytest.mark.stack


@pytest.fixture
def passes(redis: Redis) -> Passes:
    return Passes(redis, uuid4().hex)


def test_a_claim_is_read_until_it_is_dropped_and_would_expire(redis: Redis) -> None:
    name = uuid4().hex
    claims.put(redis, name, b"\x00blob")
    assert claims.get(redis, name) == b"\x00blob"
    assert 0 < int(str(redis.ttl(f"claim:{name}"))) <= claims.TTL_S
    claims.drop(redis, name)
    assert claims.get(redis, name) is None


def test_acks_come_in_order_and_only_to_their_assignment(redis: Redis) -> None:
    mine, other = uuid4().hex, uuid4().hex
    given = [Ack(0, first, first + 1, messages=1, error="é" if first else "") for first in range(3)]
    for ack in given:
        acks.push(redis, mine, ack)
    assert acks.pop(redis, other, 10) == []
    assert acks.pop(redis, mine, 2) == given[:2]
    assert acks.pop(redis, mine, 10, wait_s=5) == given[2:]
    began = time.monotonic()
    assert acks.pop(redis, mine, 10, wait_s=0.05) == []
    assert time.monotonic() - began < 2


def test_a_start_stands_until_the_worker_lets_go(redis: Redis) -> None:
    assignment = uuid4().hex
    assert not acks.is_open(redis, assignment)
    acks.open_starts(redis, assignment)
    acks.start(redis, (assignment, "b"), stage="enrich")
    assert acks.take_started(redis, assignment, "b") == "enrich"
    assert acks.take_started(redis, assignment, "b") is None, "a death counts once"
    acks.start(redis, (assignment, "b"), stage="enrich")
    acks.finish(redis, (assignment, "b"))
    assert acks.take_started(redis, assignment, "b") is None
    assert acks.is_open(redis, assignment)


def test_one_turn_at_a_time_and_entries_are_taken_once(passes: Passes) -> None:
    for entry in (b"1", b"2", b"3"):
        passes.push(entry)
    assert passes.acquire_turn()
    assert not passes.acquire_turn()
    assert (passes.take(), passes.take()) == (b"1", b"2")
    assert passes.waiting() == 1
    passes.release_turn()
    assert passes.acquire_turn()
    passes.release_turn()
    assert passes.pause_left() == 0
    passes.set_pace(5)
    assert 4 < passes.pause_left() <= 5


def test_a_generation_is_built_once_and_not_across_an_emptied_server(redis: Redis) -> None:
    redis.delete(generation.KEY)
    assert generation.read(redis).state == "missing"
    token = generation.begin(redis)
    assert token is not None
    assert generation.begin(redis) is None
    assert generation.read(redis).state == "building"
    redis.delete(generation.KEY)  # emptied while it was built
    assert not generation.finish(redis, token)
    assert generation.read(redis).state == "missing"
    again = generation.begin(redis)
    assert again is not None
    assert not generation.finish(redis, token)
    assert generation.finish(redis, again)
    ready = generation.read(redis)
    assert ready.state == "ready"
    assert generation.begin(redis) is None
    redis.set(generation.KEY, f"another-server:ready:{ready.epoch}")  # a restarted server with its old data
    assert generation.read(redis).state == "missing"
    token = generation.begin(redis)
    assert token is not None
    assert token.startswith(run_id(redis))
    assert generation.finish(redis, token)


def test_nothing_is_on_its_way_once_the_last_batch_arrived(passes: Passes) -> None:
    passes.announce("a", 1_000_000)
    passes.announce("b", 50_000_000)
    assert not passes.is_idle(51_000_000)
    passes.arrived("b")
    assert not passes.is_idle(51_000_000)
    assert passes.is_idle(61_000_001), "a batch that was lost is not waited for"
    passes.arrived("a")
    assert passes.is_idle(51_000_000)
