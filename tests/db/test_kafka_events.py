"""Outgoing events: what is not on all replicas raises, and the next one goes through a client made anew."""

import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError

from db.kafka import events
from db.kafka.admin import make_admin
from db.kafka.events import EventProducer
from db.kafka.topics import ensure_topics
from pipeline.errors import DataProcessingError
from service.settings import Settings
from tests.topics import messages

MIB = 1024 * 1024
PAIRS = [(f"k{n % 7}".encode(), f"{n:06}".encode() * 200) for n in range(4_000)]


@pytest.fixture
def topic(settings: Settings) -> str:
    return made(settings, {})


def made(settings: Settings, config: dict[str, str]) -> str:
    name = f"events-{uuid4().hex}"
    ensure_topics(make_admin(settings.kafka.bootstrap), {name: config}, partitions=1)
    return name


@pytest.mark.stack
def test_more_than_the_queue_holds_is_there_once_and_in_order(
    settings: Settings, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_QUEUE_KIB", 256)
    producer = EventProducer(settings.kafka.bootstrap, MIB)
    producer.send(topic, iter(PAIRS))
    producer.flush()
    assert messages(settings.kafka.bootstrap, topic) == PAIRS


@pytest.mark.stack
def test_what_the_broker_does_not_take_raises_and_stands_in_nobodys_way(settings: Settings) -> None:
    narrow, producer = made(settings, {"max.message.bytes": "2000"}), EventProducer(settings.kafka.bootstrap, MIB)
    producer.send(narrow, [(b"k", random.Random(1).randbytes(5_000))])
    with pytest.raises(DataProcessingError, match=r"did not take an outgoing event: .*large.*topic made"):
        producer.flush()
    producer.send(narrow, [(b"k", b"small")])
    producer.flush()
    assert messages(settings.kafka.bootstrap, narrow) == [(b"k", b"small")]


@pytest.mark.stack
def test_what_the_client_does_not_take_raises_at_once(settings: Settings, topic: str) -> None:
    producer = EventProducer(settings.kafka.bootstrap, MIB)
    with pytest.raises(DataProcessingError, match="did not take an outgoing event"):
        producer.send(topic, [(b"k", b"x" * 2 * MIB)])
    producer.flush()
    assert messages(settings.kafka.bootstrap, topic) == []


def test_a_broker_that_is_away_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "FLUSH_S", 0.3)
    producer = EventProducer("127.0.0.1:1", MIB)
    producer.send("topic", [(b"k", b"v")])
    with pytest.raises(DataProcessingError, match="Is the broker reachable"):
        producer.flush()


class Client:
    """A producer in memory: takes two messages of a batch, refuses the whole of the first batch, or all for ever."""

    made: list["Client"]

    def __init__(self, config: dict[str, Any]) -> None:
        self.taken: list[bytes] = []
        self.calls = 0
        self.made.append(self)

    def produce_batch(self, topic: str, messages: list[dict[str, Any]], on_delivery: Any) -> None:
        self.calls += 1
        if self.calls == 1:
            raise BufferError
        for message in messages[2:]:
            message["_error"] = KafkaError(KafkaError._QUEUE_FULL)
        self.taken += [message["value"] for message in messages[:2]]

    def poll(self, wait_s: float) -> None: ...

    def flush(self, wait_s: float) -> int:
        return 0

    def purge(self) -> None: ...


class GivenUp(Client):
    """The first client that is made takes nothing any more."""

    def produce_batch(self, topic: str, messages: list[dict[str, Any]], on_delivery: Any) -> None:
        if self is not self.made[0]:
            self.taken += [message["value"] for message in messages]
            return
        for message in messages:
            message["_error"] = KafkaError(KafkaError._FATAL)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Client]]:
    Client.made = []
    monkeypatch.setattr(events, "Producer", Client)
    yield Client.made
    Client.made = []


def test_what_found_no_room_is_sent_again_and_in_order(clients: list[Client]) -> None:
    values = [str(n).encode() for n in range(7)]
    EventProducer("b", MIB).send("topic", ((b"k", value) for value in values))
    assert clients[0].taken == values


def test_a_client_that_has_given_up_is_made_anew(clients: list[Client], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "Producer", GivenUp)
    producer = EventProducer("b", MIB)
    with pytest.raises(DataProcessingError):
        producer.send("topic", [(b"k", b"1")])
    producer.send("topic", [(b"k", b"2")])
    producer.flush()
    assert [client.taken for client in clients] == [[], [b"2"]]
