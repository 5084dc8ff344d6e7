"""The source on a real broker: what happens to a topic, or to a server, while the bridge reads."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from db.kafka.admin import make_admin, topic_id
from db.kafka.consumer import make_consumer
from db.kafka.topics import raw_config
from db.redis.acks import Ack
from service.metrics import Metrics
from service.settings import Settings
from tests.workers.fakes import FakeDeadLetters, FakeDispatcher, FakeLedger, FakeRoom
from workers.bridge.batcher import Limits
from workers.bridge.loop import Loop, Valve
from workers.bridge.poison import Poison
from workers.bridge.ports import Outage, Place, Start
from workers.bridge.source import KafkaSource
from workers.bridge.tally import Tally
from workers.codec import unpack

pytestmark = pytest.mark.stack
MIB = 2**20


class Reading:
    """A topic of its own, and a loop over it whose batches land at once."""

    def __init__(self, settings: Settings) -> None:
        self.bootstrap, self.topic = settings.kafka.bootstrap, f"test.{uuid4().hex}"
        self.admin: AdminClient = make_admin(self.bootstrap)
        self.make()
        consumer = make_consumer(self.bootstrap, self.topic, MIB)
        self.source = KafkaSource(consumer, self.topic, self._identify, time.monotonic)
        self.dispatcher, self.ledger = FakeDispatcher(), LedgerById()
        letters, tally = FakeDeadLetters(), Tally(Metrics("bridge"), None)
        poison = Poison(self.dispatcher, self.ledger, letters, tally)
        valve = Valve(Limits(5, MIB, 0.05), MIB, 30.0, FakeRoom())
        self.loop = Loop(self.source, self.dispatcher, self.ledger, poison, valve, tally, time.monotonic)
        self.source.subscribe(self.loop)
        self.seen: list[tuple[str, int, bytes | None]] = []

    def make(self) -> None:
        made = NewTopic(self.topic, num_partitions=1, replication_factor=1, config=raw_config(MIB))
        end = time.monotonic() + 30
        while True:
            try:
                self.admin.create_topics([made])[self.topic].result()
            except KafkaException:  # the old one is still being deleted
                assert time.monotonic() < end
            else:
                return

    def delete(self) -> None:
        self.admin.delete_topics([self.topic])[self.topic].result()

    def produce(self, *values: bytes) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "log_level": 0})
        for value in values:
            producer.produce(self.topic, value, partition=0)
        assert producer.flush(30) == 0

    def read_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, self.seen
            self.loop.step()
            self._land()

    def _land(self) -> None:
        for assignment, flight in self.dispatcher.sent:
            messages = unpack(flight.payload)
            values = zip(messages.offsets, messages.values, strict=True)
            self.seen += [(self.ledger.topic_id, offset, value) for offset, value in values]
            self.ledger.landed[self.ledger.topic_id] = flight.next
            self.dispatcher.answer(assignment, Ack(flight.partition, flight.first, flight.next, flight.messages))
        self.dispatcher.sent.clear()

    def _identify(self) -> str:
        self.ledger.topic_id = topic_id(self.admin, self.topic)
        return self.ledger.topic_id


class LedgerById(FakeLedger):
    """Landed ends by the topic's id; away as often as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.topic_id, self.refusals = "", 0
        self.landed: dict[str, int] = {}

    def start(self, partition: int, place: Place) -> Start:
        if self.refusals:
            self.refusals -= 1
            raise Outage("PostgreSQL: away")
        return Start(min(self.landed.get(self.topic_id, place.low), place.committed or place.low), 0)


def test_a_topic_that_was_made_again_begins_anew_under_its_new_id(settings: Settings) -> None:
    reading = Reading(settings)
    reading.produce(*(b"a%d" % n for n in range(10)))
    reading.read_until(lambda: len(reading.seen) == 10 and reading.loop.committed == {0: 10})
    old = reading.ledger.topic_id
    reading.delete()
    reading.make()
    reading.produce(*(b"b%d" % n for n in range(4)))
    reading.read_until(lambda: len(reading.seen) >= 14)
    reading.produce(*(b"c%d" % n for n in range(9)))
    reading.read_until(lambda: reading.loop.committed == {0: 13})
    reading.source.close()
    new = reading.ledger.topic_id
    assert new != old
    expected = [b"b%d" % n for n in range(4)] + [b"c%d" % n for n in range(9)]
    assert reading.seen[10:] == [(new, offset, value) for offset, value in enumerate(expected)]


def test_an_assignment_waits_for_a_ledger_that_is_away(settings: Settings) -> None:
    reading = Reading(settings)
    reading.ledger.refusals = 2
    reading.produce(b"a", b"b")
    reading.read_until(lambda: reading.loop.committed == {0: 2})
    reading.source.close()
    assert reading.ledger.refusals == 0
    assert [offset for _, offset, _ in reading.seen] == [0, 1]
