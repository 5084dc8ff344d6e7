"""The one reader of the landed log: everything once and in order, and never silence where something is missing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from api.live import log as logs
from api.live.log import Heard, LogReader, Tail
from db.redis.landed import A_READ, Counters, Entry
from db.redis.live import Head, Look
from tests.api import fakes
from tests.polling import until_async


class Ear:
    """What a listener hears."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.begins: list[Head] = []
        self.aways = 0
        self.whole: list[bool] = []

    def begun(self, head: Head) -> None:
        self.begins.append(head)

    async def heard(self, heard: Heard) -> None:
        self.seqs += [entry.seq for entry in heard.entries]
        self.whole.append(heard.whole)

    def away(self) -> None:
        self.aways += 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_AGAIN_S", 0)
    monkeypatch.setattr(logs, "WAIT_S", 0.001)


@pytest.fixture
async def ear(reads: fakes.FakeReads, quick: None) -> AsyncIterator[Ear]:
    ear = Ear()
    task = asyncio.ensure_future(LogReader(reads, fakes.Ticking(), [ear]).run())
    await until_async(lambda: bool(ear.begins))
    yield ear
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert ear.aways >= 1, "who does not hear any more is told"


async def test_what_comes_is_heard_once_and_in_order(ear: Ear, reads: fakes.FakeReads) -> None:
    for _ in range(5):
        reads.log.tell("bar", "t")
    await until_async(lambda: len(ear.seqs) == 5)
    reads.log.tell("bar", "t")
    await until_async(lambda: len(ear.seqs) == 6)
    assert (ear.seqs, len(ear.begins), ear.aways) == ([1, 2, 3, 4, 5, 6], 1, 0)


async def test_a_read_that_is_full_is_not_whole(ear: Ear, reads: fakes.FakeReads) -> None:
    ear.whole.clear()
    for _ in range(A_READ + 1):
        reads.log.tell("bar", "t")
    await until_async(lambda: len(ear.seqs) == A_READ + 1)
    assert False in ear.whole


async def test_old_entries_may_go_while_nothing_comes(ear: Ear, reads: fakes.FakeReads) -> None:
    """After a quiet hour all that was read is dropped by its age: nothing is missing."""
    reads.log.tell("bar", "t")
    await until_async(lambda: ear.seqs == [1])
    reads.log.trim(1)
    reads.log.tell("bar", "t")
    await until_async(lambda: ear.seqs == [1, 2])
    assert len(ear.begins) == 1


async def test_while_it_is_away_listeners_know_and_then_it_goes_on_where_it_was(
    ear: Ear, reads: fakes.FakeReads
) -> None:
    reads.log.away = True
    await until_async(lambda: ear.aways > 0)
    reads.log.tell("bar", "t")
    reads.log.away = False
    await until_async(lambda: ear.seqs == [1])
    assert len(ear.begins) == 1


async def test_an_emptied_log_is_begun_anew_though_nothing_comes(ear: Ear, reads: fakes.FakeReads) -> None:
    reads.log.tell("bar", "t")
    await until_async(lambda: ear.seqs == [1])
    reads.log.empty()
    await until_async(lambda: len(ear.begins) == 2)
    reads.log.tell("bar", "t")
    await until_async(lambda: ear.seqs == [1, 1])


def entry(seq: int, position: str = "") -> Entry:
    return Entry(position or f"{seq}-0", seq, "t", "bar", [], None, b"")


def tail(seq: int, epoch: str = "e") -> Tail:
    return Tail(Head(f"{seq}-0", Counters(epoch, {"bar": seq} if seq else {})))


def test_numbers_prove_that_nothing_is_missing() -> None:
    assert tail(3).advance(Look([entry(4), entry(5)], Counters("e", {"bar": 5})))
    assert not tail(3).advance(Look([entry(5)], Counters("e", {"bar": 5}))), "a hole"
    assert not tail(3).advance(Look([entry(4)], Counters("f", {"bar": 4}))), "another epoch"
    assert tail(0).advance(Look([entry(1)], Counters("e", {"bar": 1}))), "the first that was ever told"
    assert not tail(0).advance(Look([entry(2)], Counters("e", {"bar": 2}))), "the first one is gone"


def test_what_is_counted_and_not_there_is_looked_at_twice() -> None:
    """What is added between reading entries and reading their number is there the next time."""
    ahead = Counters("e", {"bar": 4})
    late = tail(3)
    assert late.advance(Look([], ahead))
    assert late.advance(Look([entry(4)], ahead))
    lost = tail(3)
    assert lost.advance(Look([], ahead))
    assert not lost.advance(Look([], ahead))
