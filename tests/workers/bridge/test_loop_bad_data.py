"""Data that cannot be worked on, through the loop: bisected, buried, and the breaker that stops it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.redis.acks import Ack
from pipeline import replay
from pipeline.replay import Replay
from tests.workers.fakes import Bench, FakeMessage, FakeSource, bench_of
from workers.bridge.batcher import Limits
from workers.bridge.tally import Tripped
from workers.refused import runs


def _serve(bench: Bench, bad: set[int], dies: bool) -> None:
    """Workers that land every batch without a bad message and refuse (or die over) the others."""
    for assignment, flight in bench.dispatcher.sent:
        if not any(flight.first <= offset < flight.next for offset in bad):
            bench.land(flight, assignment)
        elif dies:
            bench.dispatcher.in_hand[flight.batch_id] = "normalize"
        else:
            bench.refuse(flight)
    bench.dispatcher.sent.clear()


@given(st.sets(st.integers(0, 39), max_size=3))
def test_a_data_error_is_bisected_down_to_its_messages(bad: set[int]) -> None:
    bench = bench_of(40)
    for _ in range(30):
        bench.steps(1)
        _serve(bench, bad, dies=False)
    assert sorted(offset for offset, _ in bench.letters.written) == sorted(bad)
    assert sorted(flight.first for flight in bench.ledger.buried) == sorted(bad)
    assert all(reason == "[normalize] price=x" for _, reason in bench.letters.written)
    assert bench.source.committed == {0: 40}


def test_deaths_are_bisected_only_while_neighbours_land() -> None:
    bench = bench_of(20)
    for _ in range(400):
        bench.steps(1, 10.0)
        _serve(bench, {3}, dies=True)
        at = len(bench.source.logs[0])
        bench.source.logs[0] += [FakeMessage(at + i) for i in range(10)]
        if bench.letters.written:
            break
    assert [offset for offset, _ in bench.letters.written] == [3]
    assert "workers died in the stage normalize" in bench.letters.written[0][1]


def test_deaths_without_neighbours_are_no_attempts() -> None:
    bench = bench_of(10)
    for _ in range(60):
        bench.steps(1, 100.0)
        _serve(bench, {3}, dies=True)
    assert bench.letters.written == []
    assert [(f.first, f.next) for f in bench.loop.windows[0].flights()] == [(0, 10)]


def _land_others(bench: Bench, after_s: float) -> None:
    """Time goes by in which all but the first batch land, and ten more messages come."""
    bench.steps(1, after_s)
    at = len(bench.source.logs[0])
    bench.source.logs[0] += [FakeMessage(at + i) for i in range(10)]
    for flight in bench.sends():
        if flight.first > 0:
            bench.land(flight)


def test_timeouts_alone_are_no_attempts() -> None:
    bench = bench_of(10)
    for _ in range(60):
        _land_others(bench, 100.0)
        bench.dispatcher.sent.clear()
    assert next((f.first, f.next) for f in bench.loop.windows[0].flights()) == (0, 10)
    assert bench.letters.written == []


def test_a_dead_letter_that_kafka_does_not_take_is_tried_again() -> None:
    bench = bench_of(1)
    bench.letters.away = True
    bench.steps(2)
    bench.refuse(bench.sends()[0])
    bench.steps(3)
    assert bench.source.committed == {0: 0}
    bench.letters.away = False
    bench.steps(5, 3.0)
    assert [offset for offset, _ in bench.letters.written] == [0]
    assert bench.source.committed == {0: 1}


def test_the_breaker_stops_the_loop() -> None:
    bench = bench_of(200, batch=Limits(200, 10_000, 0.05))
    bench.steps(2)
    bench.land(bench.sends()[0], invalid=100)
    assert bench.tally.metrics.value("bridge_tripped") == 0
    with pytest.raises(Tripped, match="100 messages in a row of partition 0"):
        bench.steps(1)
    assert bench.tally.metrics.value("bridge_tripped") == 1


def _drive(bench: Bench, bad: range) -> list[int]:
    """Lands some batches a step, until the breaker stops the loop; the offsets that became dead letters."""
    buried = list[int]()
    with suppress(Tripped):
        for _ in range(400):
            bench.steps(1)
            for _, flight in bench.dispatcher.sent[:4]:
                refused = [each for each in range(flight.first, flight.next) if each in bad]
                buried += refused
                found = runs([each - flight.first for each in refused], flight.messages)
                bench.dispatcher.answer(
                    bench.loop.assignment,
                    Ack(flight.partition, flight.first, flight.next, flight.messages, invalid=len(refused),
                        lead=found.lead, trail=found.trail, longest=found.longest, parts=found.parts),
                )  # fmt: skip
            del bench.dispatcher.sent[:4]
    return buried


@pytest.mark.parametrize(
    ("count", "bad", "stops"),
    [
        (30_000, range(0, 30_000, 21), False),  # nearly 5 %, of any
        (30_000, range(15_000, 30_000, 16), True),  # 6.25 % of the last ones
        (1_990, range(0, 1_990, 2), False),  # half of too few
        (4_800, range(0, 4_800, 2), True),
        (12_000, range(7_001, 7_100), False),  # 99 in a row
        (12_000, range(7_001, 7_101), True),
    ],
)
def test_the_breaker_through_the_loop(count: int, bad: range, stops: bool) -> None:
    bench = bench_of(count, batch=Limits(333, 1_000_000, 0.05))
    _drive(bench, bad)
    assert bool(bench.tally.tripped) is stops
    assert (bench.source.committed == {0: count}) is not stops


def test_what_is_on_the_way_when_it_trips_is_withdrawn_and_read_again() -> None:
    bench = bench_of(2_000, batch=Limits(200, 1_000_000, 0.05))
    bench.steps(2)
    first = bench.sends()[0]
    assert len(bench.sends()) > 2
    bench.land(first, invalid=200)
    with pytest.raises(Tripped):
        bench.steps(1)
    assert first.first not in bench.dispatcher.withdrawn
    assert set(bench.dispatcher.withdrawn) == {flight.first for flight in bench.sends()[1:]}
    bench.loop.revoked()
    assert bench.source.committed == {0: 200}, "it waits for none of the others"


def test_after_a_stop_the_next_loop_goes_on_where_it_was() -> None:
    """Nothing lost, nothing doubled, no dead letter of what was mended meanwhile."""
    bench = bench_of(2_000, batch=Limits(50, 1_000_000, 0.05))
    buried = _drive(bench, range(400, 1_500))
    bench.loop.revoked()
    stopped_at = bench.source.committed[0]
    assert buried == list(range(400, stopped_at))
    assert 500 <= stopped_at < 700, "it stopped after 100 in a row and what was on the way"
    after = Bench(FakeSource(bench.source.logs, committed=dict(bench.source.committed)), batch=Limits(50, 10_000, 0.05))
    after.assign()
    assert _drive(after, range(0)) == []
    assert after.source.committed == {0: 2_000}


@pytest.mark.parametrize("again", [False, True])
def test_replays_that_are_buried_do_not_trip_it(again: bool) -> None:
    header = replay.header(Replay("raw", "tid", 0, 1, 1, 2))
    messages = [FakeMessage(at, extra=[header] if again else None) for at in range(120)]
    bench = Bench(FakeSource({0: messages}), batch=Limits(1, 1_000_000, 0.05))
    bench.assign()
    with suppress(Tripped):
        for _ in range(20):
            bench.steps(1)
            _serve(bench, set(range(120)), dies=False)
    assert len(bench.letters.written) == 120 if again else 100
    assert bool(bench.tally.tripped) is not again


def test_a_breaker_that_trips_in_a_revocation_commits_and_stops_the_next_step() -> None:
    bench = bench_of(400, batch=Limits(200, 10_000, 0.05))
    bench.steps(3)
    for flight in bench.sends():
        bench.land(flight, invalid=100)
    bench.loop.revoked()
    assert bench.source.committed == {0: 400}, "what landed is committed: it is in the dead letters already"
    bench.assign()
    with pytest.raises(Tripped):
        bench.steps(1)


def test_one_death_counts_once() -> None:
    bench = bench_of(20)
    bench.steps(3)
    bench.dispatcher.in_hand[bench.sends()[0].batch_id] = "normalize"
    for _ in range(8):
        _land_others(bench, 130.0)
    assert bench.letters.written == []
    assert next((f.first, f.next) for f in bench.loop.windows[0].flights()) == (0, 10)
