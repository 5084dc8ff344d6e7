"""The dead-letter topic, read again."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, TypeVar

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from db.kafka.admin import make_admin, topic_id
from db.kafka.away import KafkaAway
from db.kafka.consumer import reader
from db.kafka.letters import Letter, Original, letter_of, original_of
from pipeline.errors import DataProcessingError
from service.settings import Kafka

PATIENCE_S: Final = 20.0
Place = tuple[int, int]  # partition, offset
T = TypeVar("T")


class DeadLetterTopic:
    """Reads the topic, and the raw topics where a letter keeps only a part of its message; close it.

    Raises `KafkaAway` where Kafka is silent for `patience_s` seconds, or the topic cannot be read.
    """

    def __init__(self, kafka: Kafka, patience_s: float = PATIENCE_S) -> None:
        self._kafka = kafka
        self._patience_s = patience_s
        self._ids: dict[str, str | None] = {}
        self._consumer = reader(kafka, f"{kafka.group_id}-dlq")

    def close(self) -> None:
        self._consumer.close()

    def letters(self, since_ms: int = 0) -> Iterator[Letter]:
        """Every letter written since an instant; what else somebody has put on the topic is left out."""
        for message in self._read(self._starts(since_ms)):
            letter = letter_of(message)
            if letter is not None:
                yield letter

    def originals(self, places: Collection[Place]) -> Iterator[tuple[Place, Original]]:
        """The messages in the letters at these places, each as much of it as its letter keeps."""
        starts: dict[int, int] = {}
        for partition, offset in places:
            starts[partition] = min(offset, starts.get(partition, offset))
        ends = {each: max(offset for partition, offset in places if partition == each) + 1 for each in starts}
        for message in self._read(starts, ends):
            place = message.partition() or 0, message.offset() or 0
            if place in places:
                yield place, original_of(message)

    def kept(self, letter: Letter) -> Original | None:
        """The first message, whole, from its own topic; null where that keeps it no longer."""
        identity, partition, offset = letter.first
        if self._id(letter.topic) != identity:
            return None
        place = TopicPartition(letter.topic, partition, offset)
        low, _ = self._marks(place)
        found = next(self._partition(place, offset + 1), None) if low <= offset else None
        return original_of(found) if found is not None else None

    def _id(self, topic: str) -> str | None:
        """Asked once a topic; null where it is no longer there."""
        if topic not in self._ids:
            try:
                self._ids[topic] = topic_id(make_admin(self._kafka.bootstrap), topic)
            except DataProcessingError:
                self._ids[topic] = None
        return self._ids[topic]

    def _starts(self, since_ms: int) -> dict[int, int]:
        topic = self._kafka.deadletter_topic
        known = self._answered(topic, lambda: self._consumer.list_topics(topic, timeout=self._patience_s)).topics[topic]
        if known.error is not None:
            raise _unreadable(topic, known.error.str())
        asked = [TopicPartition(topic, each, since_ms) for each in sorted(known.partitions)]
        found = self._answered(topic, lambda: self._consumer.offsets_for_times(asked, timeout=self._patience_s))
        return {each.partition: each.offset for each in found if each.offset >= 0}

    def _read(self, starts: Mapping[int, int], ends: Mapping[int, int] | None = None) -> Iterator[Message]:
        for partition, start in starts.items():
            place = TopicPartition(self._kafka.deadletter_topic, partition, start)
            low, end = self._marks(place)
            end = min(end, (ends or {}).get(partition, end))
            if max(low, start) < end:
                yield from self._partition(place, end)

    def _partition(self, place: TopicPartition, end: int) -> Iterator[Message]:
        """The messages from a place to an end; control records leave holes."""
        self._consumer.assign([place])
        while (message := self._consumer.poll(self._patience_s)) is not None:
            error, offset = message.error(), message.offset() or 0
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise _unreadable(place.topic, error.str())
            if error is not None or offset >= end:
                return
            yield message
            if offset + 1 >= end:
                return
        raise KafkaAway(f"{place.topic} was silent for {self._patience_s:.0f} s. Is Kafka up?", "kafka")

    def _marks(self, place: TopicPartition) -> tuple[int, int]:
        low, end = self._answered(
            place.topic, lambda: self._consumer.get_watermark_offsets(place, timeout=self._patience_s)
        )
        return int(low), int(end)

    def _answered(self, topic: str, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except KafkaException as error:
            raise _unreadable(topic, error.args[0].str()) from None


def _unreadable(topic: str, reason: str) -> KafkaAway:
    return KafkaAway(f"{topic} cannot be read: {reason}. Is Kafka up, and the topic made?", "kafka")
