"""The bridge says of a partition that nothing waits in it, only where that is so."""

import pytest

from service import clock
from service.settings import Settings
from tests.workers.bridge.test_source import Reading
from tests.workers.fakes import Bench, FakeMessage, FakeSource, log_of
from workers.bridge.quiet import AT_ONCE, NOTE_S, SKEW_US

NOW_US = 1_000_000_000_000


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_us", lambda: NOW_US)


def _bench(logs: dict[int, list[FakeMessage]]) -> Bench:
    bench = Bench(FakeSource(logs))
    bench.assign()
    return bench


def _noted(bench: Bench) -> dict[int, int]:
    bench.steps(2, NOTE_S + 1)  # what has landed is heard after the first look
    return bench.dispatcher.quiet


def test_a_partition_is_quiet_once_all_of_it_has_landed() -> None:
    bench = _bench({0: log_of(10), 1: log_of(0, 1)})
    bench.steps(2)
    assert _noted(bench) == {0: 0, 1: NOW_US - SKEW_US}
    bench.land(bench.sends()[0])
    assert _noted(bench)[0] == NOW_US - SKEW_US


def test_it_is_not_while_messages_wait_for_their_batch() -> None:
    bench = _bench({0: log_of(0)})
    assert _noted(bench) == {0: NOW_US - SKEW_US}
    bench.dispatcher.quiet.clear()
    bench.source.logs[0] = log_of(3)
    bench.loop._batcher.add(bench.source.poll(9, 0.0), bench.now + NOTE_S + 1)  # pyright: ignore[reportPrivateUsage]
    bench.source.pause()
    assert _noted(bench) == {0: 0}


def test_it_is_not_while_the_broker_has_more() -> None:
    bench = _bench({0: log_of(10)})
    bench.steps(2)
    bench.source.pause()
    bench.source.logs[0] = log_of(11)
    bench.land(bench.sends()[0])
    assert _noted(bench) == {0: 0}


def test_it_is_not_where_the_broker_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _bench({0: log_of(0)})

    def silent(_: FakeSource, __: object) -> dict[int, int]:
        return {}

    monkeypatch.setattr(FakeSource, "ends", silent)
    assert _noted(bench) == {0: 0}


def test_the_instant_is_that_before_the_broker_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is appended while it answers may not be in the end that it gives."""
    bench = _bench({0: log_of(0)})
    real = FakeSource.ends

    def slow(source: FakeSource, partitions: list[int]) -> object:
        monkeypatch.setattr(clock, "now_us", lambda: NOW_US + 10**9)
        return real(source, partitions)

    monkeypatch.setattr(FakeSource, "ends", slow)
    bench.steps(1, NOTE_S + 1)
    assert bench.dispatcher.quiet == {0: NOW_US - SKEW_US}


def test_of_many_partitions_some_are_asked_about_at_a_time() -> None:
    bench = _bench({each: log_of(0, each) for each in range(AT_ONCE + 5)})
    bench.steps(1, NOTE_S + 1)
    first = dict(bench.dispatcher.quiet)
    assert len(first) == AT_ONCE + 5
    assert sum(at > 0 for at in first.values()) == AT_ONCE
    assert all(at > 0 for at in _noted(bench).values())


@pytest.mark.stack
def test_the_end_of_a_real_topic(settings: Settings) -> None:
    reading = Reading(settings)
    reading.produce(b"a", b"b", b"c")
    reading.read_until(lambda: reading.loop.committed == {0: 3})
    assert reading.source.ends([0]) == {0: 3}
    reading.read_until(lambda: reading.dispatcher.quiet.get(0) == NOW_US - SKEW_US)
    reading.produce(b"d")
    assert reading.source.ends([0]) == {0: 4}
    reading.source.close()
