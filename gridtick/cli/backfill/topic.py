"""The lane's topic, read again: where it ends, and which messages of a run it holds already."""

import time
from collections.abc import Iterator
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from db.kafka.consumer import reader
from gridtick.cli.backfill.journal import Journal, Placed, number_of
from pipeline.errors import DataProcessingError
from service.settings import Kafka

SETTLES_S: Final = 1.0
_ANSWER_S: Final = 20.0


class LaneTopic:
    """One topic and who reads it; close it."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self._topic = topic
        self._consumer = reader(kafka, f"{kafka.group_id}-send")

    def close(self) -> None:
        self._consumer.close()

    def places(self) -> dict[int, tuple[int, int]]:
        """By partition the first offset that is kept, and the end; never of a part of the topic."""
        try:
            known = self._consumer.list_topics(self._topic, timeout=_ANSWER_S).topics[self._topic]
            if known.error is not None:
                raise KafkaException(known.error)
            return {each: self._marks(each) for each in sorted(known.partitions)}
        except KafkaException as error:
            raise DataProcessingError(f"{self._topic} cannot be read: {error.args[0].str()}", "cli") from None

    def ends(self) -> dict[int, int]:
        """The end of each partition."""
        return {partition: end for partition, (_, end) in self.places().items()}

    def left_by(self, journal: Journal) -> Iterator[Placed]:
        """The messages of the journal's run behind what the journal knows.

        Raises `DataProcessingError` where the topic no longer holds all of what came behind it.
        """
        self.places()
        # The broker answers: what a killed process had handed to the network is written within moments.
        time.sleep(SETTLES_S)
        for partition, (low, end) in self.places().items():
            since = journal.spans.get(partition, (0, 0))[1]
            if low > since:
                raise _gone(journal, partition)
            for message in self._read(partition, since, end):
                number = number_of(dict(message.headers() or ()), journal.run)
                if number is not None:
                    yield Placed(partition, message.offset() or 0, number)

    def _marks(self, partition: int) -> tuple[int, int]:
        low, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=_ANSWER_S)
        return int(low), int(end)

    def _read(self, partition: int, first: int, end: int) -> Iterator[Message]:
        if first >= end:
            return
        self._consumer.assign([TopicPartition(self._topic, partition, first)])
        while (message := self._consumer.poll(_ANSWER_S)) is not None:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise DataProcessingError(f"{self._topic} cannot be read: {error.str()}", "cli")
            if error is not None or (message.offset() or 0) >= end:
                return
            yield message
        raise DataProcessingError(f"{self._topic} was silent for {_ANSWER_S:.0f} s. Is Kafka up?", "cli")


def _gone(journal: Journal, partition: int) -> DataProcessingError:
    return DataProcessingError(
        f"backfill {journal.asked.job} was cut off after message {journal.confirmed:,}, and partition {partition} of "
        f"{journal.topic} no longer keeps what came next: which messages are stored already is not known. "
        "See with `gridtick ticks` where the stored prices end, and send what comes behind it as another file.",
        "cli",
    )
