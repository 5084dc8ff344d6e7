"""What the stores hold at the end, read with plain clients and plain SQL."""

from collections.abc import Iterator
from decimal import Decimal

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from service.settings import Settings
from tests.e2e.load import Message as Sent

_CURRENT = """
    SELECT instrument, event_id,
        concat(formatDateTime(ts, '%Y-%m-%dT%H:%i:%S'), '.', substring(toString(ts), 21, 3), 'Z') AS stamp,
        argMax(price, (version, known_at, topic_id, partition, offset, row)) AS now
    FROM ticks GROUP BY tenant, instrument, ts, source_rank, event_id
"""
_PUBLICATIONS = "SELECT uniqExact(topic_id, partition, offset, row, instrument) AS n FROM ticks"


def clickhouse(settings: Settings) -> Client:
    address = settings.clickhouse.url.get_secret_value()
    return clickhouse_connect.get_client(dsn=address, database=settings.clickhouse.database)


def current_prices(settings: Settings) -> dict[tuple[str, str, str], Decimal]:
    """(instrument, stamp, event id) -> the price that stands."""
    client = clickhouse(settings)
    rows = client.query(_CURRENT).result_rows
    client.close()
    return {(str(i), str(s), str(e)): Decimal(p) for i, e, s, p in rows}


def publications(settings: Settings) -> int:
    """How many distinct publications are stored."""
    client = clickhouse(settings)
    (found,) = client.query(_PUBLICATIONS).result_rows[0]
    client.close()
    return int(found)


class RawTopic:
    """Sends messages and tells how far the bridge has committed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.kafka
        self._producer = Producer({"bootstrap.servers": self._settings.bootstrap, "linger.ms": 5, "log_level": 0})
        self._consumer = Consumer(
            {"bootstrap.servers": self._settings.bootstrap, "group.id": self._settings.group_id, "log_level": 0}
        )
        self._places = [TopicPartition(self._settings.raw_topic, n) for n in range(self._settings.partitions)]

    def send(self, messages: list[Sent]) -> None:
        """Sends messages in order; returns when the broker has them all."""
        for message in messages:
            while True:
                try:
                    self._producer.produce(self._settings.raw_topic, message.value, message.key)
                    break
                except BufferError:
                    self._producer.poll(0.1)
        assert self._producer.flush(60) == 0

    def committed(self) -> int:
        """The sum of committed offsets over all partitions."""
        return sum(max(0, p.offset) for p in self._consumer.committed(self._places, timeout=10))

    def end(self) -> int:
        """The sum of end offsets over all partitions."""
        marks = [self._consumer.get_watermark_offsets(p, timeout=10) for p in self._places]
        return sum(high for _, high in marks)

    def close(self) -> None:
        self._consumer.close()


def dead_letters(settings: Settings) -> Iterator[Message]:
    """Every message of the dead-letter topic."""
    topic = settings.kafka.deadletter_topic
    consumer = Consumer({"bootstrap.servers": settings.kafka.bootstrap, "group.id": "e2e-dead-letters", "log_level": 0})
    try:
        for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            consumer.assign([TopicPartition(topic, number, low)])
            while low < high:
                message = consumer.poll(10)
                assert message is not None
                assert message.error() is None
                low = (message.offset() or 0) + 1
                yield message
    finally:
        consumer.close()
