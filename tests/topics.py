"""A whole topic, read as any consumer reads it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, TopicPartition


def messages(bootstrap: str, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """(key, value) of every message, one partition after the other."""
    # Else each change of the partition waits half a second for the fetch before.
    quick = {"fetch.wait.max.ms": 10}
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "log_level": 0, **quick})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return [found for number in sorted(partitions) for found in _partition(consumer, TopicPartition(topic, number))]
    finally:
        consumer.close()


def events(bootstrap: str, topic: str) -> list[Any]:
    """Every message as JSON, its numbers exact; its key must be its instrument or curve."""
    found: list[Any] = []
    for key, value in messages(bootstrap, topic):
        event = json.loads(value or b"", parse_float=Decimal)
        payload = event["payload"]
        assert (payload.get("instrument_id") or payload["curve"]) == (key or b"").decode()
        found.append(event)
    return found


def _partition(consumer: Consumer, place: TopicPartition) -> Iterator[tuple[bytes | None, bytes | None]]:
    position, end = consumer.get_watermark_offsets(place, timeout=10)
    consumer.assign([TopicPartition(place.topic, place.partition, position)])
    while position < end:
        message = consumer.poll(10)
        assert message is not None
        assert message.error() is None
        position = (message.offset() or 0) + 1
        yield message.key(), message.value()
