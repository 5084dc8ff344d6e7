"""The valve through the loop: back-pressure, repeats, rebalances, poison, outages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.redis.acks import Ack
from tests.workers.fakes import Bench, FakeMessage, FakeSource, bench_of, log_of
from workers.bridge import window
from workers.bridge.batcher import Limits
from workers.bridge.window import Flight


def test_batches_are_sent_and_committed_in_order_of_landing() -> None:
    bench = bench_of(30)
    bench.steps(3)
    first, second, third = bench.sends()
    assert [(f.first, f.next) for f in bench.sends()] == [(0, 10), (10, 20), (20, 30)]
    bench.land(second)
    bench.steps(2)
    assert bench.source.committed == {0: 0}
    bench.land(first)
    bench.steps(2)
    assert bench.source.committed == {0: 20}
    bench.land(third)
    bench.steps(2)
    assert bench.source.committed == {0: 30}
    assert bench.tally.metrics.value("bridge_landed_messages_total") == 30


def test_a_refused_commit_is_tried_again() -> None:
    bench = bench_of(10)
    bench.steps(2)
    bench.source.refuses = True
    bench.land(bench.sends()[0])
    bench.steps(2)
    bench.source.refuses = False
    bench.steps(2)
    assert bench.source.committed == {0: 10}


def test_what_has_not_landed_is_sent_again_and_a_late_answer_counts_once() -> None:
    bench = bench_of(10)
    bench.steps(2)
    bench.steps(1, 29.0)
    assert len(bench.sends()) == 1
    bench.steps(1, 2.0)
    assert [f.first for f in bench.sends()] == [0, 0]
    bench.land(bench.sends()[0])
    bench.land(bench.sends()[0])
    bench.steps(2)
    assert bench.tally.metrics.value("bridge_landed_messages_total") == 10
    bench.steps(3, 100.0)
    assert len(bench.sends()) == 2


def test_a_full_window_holds_then_pauses_then_goes_on() -> None:
    bench = bench_of(100, window_bytes=500, batch=Limits(10, 1000, 0.05))
    bench.steps(1)
    bench.source.logs[0] += [FakeMessage(at, b"x" * 10) for at in range(100, 200)]
    bench.steps(2, 0.2)
    assert not bench.source.paused
    polls = bench.source.polls
    bench.steps(8, 0.3)
    assert bench.source.paused
    assert bench.source.polls > polls, "the group's membership needs polls"
    assert max(flight.next for flight in bench.sends()) == 100
    for flight in bench.sends():
        bench.land(flight)
    bench.steps(3)
    assert not bench.source.paused
    assert max(flight.next for flight in bench.sends()) == 200


def test_open_batches_alone_never_hold_the_window_for_ever() -> None:
    logs = {p: [FakeMessage(at, b"x" * 10, p) for at in range(60)] for p in range(6)}
    bench = Bench(FakeSource(logs), batch=Limits(1000, 1000, 0.05), window_bytes=500)
    bench.assign()
    for _ in range(20):
        bench.steps(1)
        for flight in bench.sends():
            bench.land(flight)
    assert bench.source.committed == dict.fromkeys(range(6), 60)


def test_no_task_is_added_while_all_of_them_wait_for_a_worker() -> None:
    bench = bench_of(20)
    bench.steps(3)
    bench.dispatcher.tasks = 2
    bench.steps(5, 1000.0)
    assert len(bench.sends()) == 2
    bench.dispatcher.tasks = 1
    bench.steps(1, 1.0)
    assert len(bench.sends()) == 4


def test_redis_away_pauses_and_repeats_with_growing_pauses_then_nothing_is_missing() -> None:
    bench = bench_of(20)
    bench.steps(1)
    bench.dispatcher.away = True
    bench.steps(40, 0.3)
    assert bench.source.paused
    bench.dispatcher.away = False
    bench.steps(20, 0.5)
    assert not bench.source.paused
    assert {(f.first, f.next) for f in bench.sends()} == {(0, 10), (10, 20)}


def test_an_emptied_redis_is_noticed_and_everything_is_sent_again_at_once() -> None:
    bench = bench_of(20)
    bench.steps(3)
    assert len(bench.sends()) == 2
    bench.dispatcher.opened.clear()
    bench.steps(4, 0.4)
    assert [f.first for f in bench.sends()] == [0, 10, 0, 10]


def test_an_assignment_that_is_ahead_of_the_ledger_goes_back() -> None:
    source = FakeSource({0: log_of(40)}, committed={0: 30})
    bench = Bench(source)
    bench.ledger.ends = {0: 10}
    bench.assign()
    bench.steps(3)
    assert bench.sends()[0].first == 10
    assert source.committed == {0: 10}


def test_revoked_waits_commits_what_landed_and_forgets_the_rest() -> None:
    bench = bench_of(30)
    bench.steps(3)
    before = bench.loop.assignment
    bench.land(bench.sends()[0])
    bench.loop.windows[0].land(20, 30)
    _let_time_pass(bench)
    bench.loop.revoked()
    assert bench.source.committed == {0: 10}
    bench.assign()
    assert bench.loop.assignment != before
    bench.steps(3)
    late = bench.sends()[1]
    bench.land(late, before)
    bench.steps(2)
    assert bench.source.committed == {0: 10}, "a late answer to an earlier assignment means nothing"
    assert {(f.first, f.next) for f in bench.sends()[3:]} == {(10, 20), (20, 30)}


def _let_time_pass(bench: Bench) -> None:
    """The drain's clock runs on by itself."""
    ask = bench.dispatcher.acks

    def acks(assignment: str, wait_s: float) -> list[Ack]:
        bench.now += 0.5
        return list(ask(assignment, wait_s))

    bench.dispatcher.acks = acks  # type: ignore[method-assign]


def test_lost_commits_nothing() -> None:
    bench = bench_of(10)
    bench.steps(2)
    bench.land(bench.sends()[0])
    commits = len(bench.source.commits)
    bench.loop.lost()
    bench.steps(3)
    assert len(bench.source.commits) == commits


@given(st.data())
def test_any_interleaving_commits_only_what_landed(data: st.DataObject) -> None:
    """Answers in any order, lost answers, repeats, revocations, losses, emptied Redis, outages."""
    source = FakeSource({0: log_of(60), 1: log_of(45, 1)})
    bench = Bench(source, Limits(7, 1_000_000, 0.05))
    bench.assign()
    landed: dict[int, set[int]] = {0: set(), 1: set()}
    ghosts: list[tuple[str, Flight]] = []
    for _ in range(data.draw(st.integers(5, 40))):
        act = data.draw(st.sampled_from(["step", "land", "land", "drop", "revoke", "lose", "empty", "away", "late"]))
        sent = bench.dispatcher.sent
        if act == "land" and sent:
            assignment, flight = sent.pop(data.draw(st.integers(0, len(sent) - 1)))
            landed[flight.partition] |= set(range(flight.first, flight.next))
            bench.land(flight, assignment)
        elif act == "drop" and sent:
            ghosts.append(sent.pop(0))
        elif act == "late" and ghosts:
            assignment, flight = ghosts.pop()
            landed[flight.partition] |= set(range(flight.first, flight.next))
            bench.land(flight, assignment)
        elif act in {"revoke", "lose"}:
            bench.now += 10
            bench.loop.lost() if act == "lose" else _revoked(bench)
            bench.assign()
        elif act == "empty":
            bench.dispatcher.opened.clear()
            bench.dispatcher.answers.clear()
        elif act == "away":
            bench.dispatcher.away = not bench.dispatcher.away
        bench.steps(1, data.draw(st.sampled_from([0.3, 40.0])))
        _check(source, landed)
    bench.dispatcher.away = False
    for _ in range(60):
        bench.steps(1, 20.0)
        for assignment, flight in bench.dispatcher.sent:
            landed[flight.partition] |= set(range(flight.first, flight.next))
            bench.land(flight, assignment)
        bench.dispatcher.sent.clear()
        _check(source, landed)
    assert source.committed == {0: 60, 1: 45}


def _revoked(bench: Bench) -> None:
    ask = bench.dispatcher.acks
    _let_time_pass(bench)
    bench.loop.revoked()
    bench.dispatcher.acks = ask  # type: ignore[method-assign]


def _check(source: FakeSource, landed: dict[int, set[int]]) -> None:
    for partition, committed in source.committed.items():
        assert all(offset in landed[partition] for offset in range(committed))
    for partition in landed:
        order = [commit[partition] for commit in source.commits if partition in commit]
        assert order == sorted(order)


def test_small_batches_of_all_partitions_are_one_task_and_come_again_alone() -> None:
    logs = {p: [FakeMessage(at, b"x" * 10, p) for at in range(3)] for p in range(4)}
    bench = Bench(FakeSource(logs))
    bench.assign()
    bench.steps(2)
    assert bench.dispatcher.tasks_of == [[0, 0, 0, 0]]
    bench.steps(1, 31.0)
    assert bench.dispatcher.tasks_of[1:] == [[0]] * 4, "which of them it was is found out then"


def test_what_costs_more_than_its_task_is_sent_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "SMALL", 10)
    logs = {p: [FakeMessage(at, b"x" * 10, p) for at in range(3)] for p in range(3)}
    bench = Bench(FakeSource(logs))
    bench.assign()
    bench.steps(2)
    assert bench.dispatcher.tasks_of == [[0]] * 3


def test_while_a_batch_is_being_prepared_the_next_one_grows() -> None:
    bench = bench_of(3)
    bench.steps(2, 0.1)
    assert len(bench.sends()) == 1
    bench.dispatcher.preparing = True
    bench.steps(1, 0.1)
    bench.source.logs[0] += [FakeMessage(at) for at in (3, 4)]
    bench.steps(2, 0.1)
    bench.source.logs[0] += [FakeMessage(5)]
    bench.steps(2, 0.1)
    assert len(bench.sends()) == 1
    bench.dispatcher.preparing = False
    bench.steps(2, 0.1)
    assert [(flight.first, flight.next) for flight in bench.sends()] == [(0, 3), (3, 6)]
