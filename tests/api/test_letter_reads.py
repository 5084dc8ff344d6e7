"""Dead letters are read in a thread, one read at a time, and nobody waits for long."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from api.problems import Problem
from api.reads import letters as letter_reads
from api.reads.away import Watch
from api.reads.known import Connections
from api.reads.letters import LetterReads
from db.kafka.away import KafkaAway
from db.letters import held
from db.postgres import replays
from service.metrics import Metrics
from service.settings import load


class Topic:
    """Stands for the dead-letter topic: a read of it ends when the test lets it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.reading = 0
        self.most = 0
        self.error: Exception | None = None

    def read(self, *_: object) -> list[object]:
        self.reading += 1
        self.most = max(self.most, self.reading)
        self.begun.set()
        assert self.go_on.wait(20)
        self.reading -= 1
        if self.error is not None:
            raise self.error
        return []


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    async def nothing(*_: object) -> dict[str, Any]:
        return {}

    made = Topic()
    monkeypatch.setattr(held, "read", made.read)
    monkeypatch.setattr(replays, "newest", nothing)
    yield made
    made.go_on.set()


@pytest.fixture
def reads() -> LetterReads:
    nothing, watch = cast("Any", None), Watch(Metrics("api"))
    stores = nothing, nothing, nothing, nothing
    return LetterReads(Connections(*stores, watch, (), "secret", nothing, nothing, load({}).kafka))


async def test_reads_take_turns_and_leave_the_loop_alone(topic: Topic, reads: LetterReads) -> None:
    both = [asyncio.ensure_future(reads.of_letters(None, len)) for _ in range(2)]
    assert await asyncio.to_thread(topic.begun.wait, 20)  # the loop turns while the thread reads
    topic.go_on.set()
    assert await asyncio.gather(*both) == [0, 0]
    assert topic.most == 1


async def test_who_gets_no_turn_is_told_to_come_again(
    topic: Topic, reads: LetterReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letter_reads, "_TURN_S", 0.01)
    first = asyncio.ensure_future(reads.of_letters(None, len))
    assert await asyncio.to_thread(topic.begun.wait, 20)
    with pytest.raises(Problem, match="another request") as refused:
        await reads.of_letters(None, len)
    assert (refused.value.kind, refused.value.headers) == ("store-away", {"Retry-After": "5"})
    topic.go_on.set()
    assert await first == 0


async def test_a_turn_ends_with_its_thread_and_not_with_who_waited(
    topic: Topic, reads: LetterReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letter_reads, "_TURN_S", 0.01)
    monkeypatch.setattr(letter_reads, "_READING_S", 0.01)
    with pytest.raises(Problem, match="kafka does not answer"):
        await reads.of_letters(None, len)
    with pytest.raises(Problem, match="another request"):
        await reads.of_letters(None, len)
    topic.go_on.set()
    monkeypatch.setattr(letter_reads, "_TURN_S", 20)
    monkeypatch.setattr(letter_reads, "_READING_S", 20)
    assert await reads.of_letters(None, len) == 0


async def test_kafka_away_is_503_and_the_next_one_may_read(topic: Topic, reads: LetterReads) -> None:
    topic.go_on.set()
    topic.error = KafkaAway("the topic cannot be read", "kafka")
    with pytest.raises(Problem, match=r"kafka does not answer.*gridtick status") as refused:
        await reads.of_letters(None, len)
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "5"})
    topic.error = None
    assert await reads.of_letters(None, len) == 0
