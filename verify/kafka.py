"""Reads the topics again, message by message: the ground truth of what was sent."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from db.kafka.admin import make_admin, topic_id
from db.kafka.consumer import reader
from pipeline.errors import DataProcessingError
from service.settings import LANES, Kafka, Lane
from verify.positions import Attempt, Partition, Position

IDENTITY: Final = "gridtick.identity"
REPLAYED_AT: Final = "gridtick.replayed_at"  # where the message was read, if not where its identity says
REPLAY: Final = "gridtick.replay"
REFUSED_ROWS: Final = "gridtick.refused_rows"  # absent where the message itself was refused
_ANSWER_S: Final = 20.0


def partitions(settings: Kafka) -> list[Partition]:
    """Every partition of every lane's topic with the offsets of its messages up to what is committed."""
    return [each for lane in LANES for each in _of_lane(settings, lane)]


def _of_lane(settings: Kafka, lane: Lane) -> list[Partition]:
    topic = settings.topic_of(lane)
    identity = topic_id(make_admin(settings.bootstrap), topic)
    consumer = reader(settings, settings.group_of(lane))
    try:
        return [_partition(consumer, each, identity) for each in _all(consumer, topic)]
    finally:
        consumer.close()


def _partition(consumer: Consumer, place: TopicPartition, identity: str) -> Partition:
    low, _ = consumer.get_watermark_offsets(place, timeout=_ANSWER_S)
    (stored,) = consumer.committed([place], timeout=_ANSWER_S)
    committed = stored.offset if stored.offset >= 0 else None
    offsets, replays = list[int](), dict[int, Attempt]()
    for message in _read(consumer, place, low, committed or low):
        offsets.append(message.offset() or 0)
        attempt = _attempt(dict(message.headers() or ()))
        if attempt is not None:
            replays[offsets[-1]] = attempt
    return Partition(identity, place.partition, low, committed, offsets, replays)


def _attempt(headers: Mapping[str, bytes | str | None]) -> Attempt | None:
    """Of a dead letter that was sent again the position of its first message, and its attempt."""
    try:
        said = json.loads(_text(headers[REPLAY]))
        return f"{said['topic_id']}/{said['partition']}/{said['offset']}", int(said["attempt"])
    except (KeyError, TypeError, ValueError):
        return None


def dead_letters(settings: Kafka) -> dict[Position, int]:
    """Where the messages of all dead letters were read, each once, with the number of rows that were refused."""
    topic = settings.deadletter_topic
    consumer = reader(settings, f"{settings.group_id}-verify")
    try:
        return {
            _read_at(headers): int(_text(headers.get(REFUSED_ROWS, b"1")))
            for place in _all(consumer, topic)
            for message in _read(consumer, place, *consumer.get_watermark_offsets(place, timeout=_ANSWER_S))
            # The last of a name: a replayed letter that died again carries its earlier headers further up.
            for headers in [dict(message.headers() or [])]
        }
    finally:
        consumer.close()


def _read_at(headers: Mapping[str, bytes | str | None]) -> Position:
    place = _text(headers.get(REPLAYED_AT, "")) or _text(headers[IDENTITY]).rpartition("/")[0]
    topic, partition, offset = place.rsplit("/", 2)
    return topic, int(partition), int(offset)


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _all(consumer: Consumer, topic: str) -> list[TopicPartition]:
    known = consumer.list_topics(topic, timeout=_ANSWER_S).topics[topic].partitions
    return [TopicPartition(topic, number) for number in sorted(known)]


def _read(consumer: Consumer, place: TopicPartition, low: int, high: int) -> Iterator[Message]:
    """The messages with offsets in [low, high); control records leave holes in them."""
    if low >= high:
        return
    consumer.assign([TopicPartition(place.topic, place.partition, low)])
    while True:
        message = consumer.poll(_ANSWER_S)
        if message is None:
            raise DataProcessingError(f"{place.topic} was silent for {_ANSWER_S:.0f} s. Is Kafka up?", "cli")
        error = message.error()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            return
        if error is not None:
            raise DataProcessingError(f"{place.topic} cannot be read: {error.str()}", "cli")
        if (message.offset() or 0) >= high:
            return
        yield message
