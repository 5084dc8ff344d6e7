"""The raw topic as the loop's source: rebalances, explicit commits, pausing."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from pipeline.errors import DataProcessingError
from workers.bridge.batcher import Message
from workers.bridge.ports import Place

log = logging.getLogger(__name__)

ANSWER_S: Final = 10.0


class Rebalanced(Protocol):
    """Who is told what the group decides."""

    def assigned(self, places: Mapping[int, Place]) -> dict[int, int]: ...
    def revoked(self) -> None: ...
    def lost(self) -> None: ...


class KafkaSource:
    """One consumer of one topic."""

    def __init__(self, consumer: Consumer, topic: str, topic_made: Callable[[], None]) -> None:
        self._consumer, self._topic, self._topic_made = consumer, topic, topic_made
        self._starts: list[TopicPartition] = []
        self._changed = False

    def subscribe(self, loop: Rebalanced) -> None:
        """Joins the group; the loop hears of assignments during `poll`."""

        def on_assign(_: Consumer, partitions: list[TopicPartition]) -> None:
            self._topic_made()
            starts = loop.assigned(self._places(partitions))
            self._begin([TopicPartition(self._topic, each, offset) for each, offset in starts.items()])

        def on_revoke(consumer: Consumer, _: list[TopicPartition]) -> None:
            loop.revoked()
            self._end(consumer)

        def on_lost(consumer: Consumer, _: list[TopicPartition]) -> None:
            loop.lost()
            self._end(consumer)

        self._consumer.subscribe([self._topic], on_assign=on_assign, on_revoke=on_revoke, on_lost=on_lost)

    def poll(self, most: int, wait_s: float) -> Sequence[Message]:
        """Up to `most` messages; waits up to `wait_s` for the first and a moment for the others."""
        self._changed = False
        first = self._consumer.poll(wait_s)
        messages = [] if first is None else [first, *self._rest(most - 1)]
        if self._changed and messages:
            # They may be of the assignment before: everything is read again from the starts.
            self._consumer.assign(self._starts)
            return []
        return cast("list[Message]", [each for each in messages if _is_message(each)])

    def _rest(self, most: int) -> list[KafkaMessage]:
        return self._consumer.consume(most, 0.01) if most > 0 else []

    def commit(self, offsets: Mapping[int, int]) -> bool:
        """Commits and waits for the answer; False when the group refused or did not answer."""
        ends = [TopicPartition(self._topic, each, offset) for each, offset in offsets.items()]
        try:
            answers = self._consumer.commit(offsets=ends, asynchronous=False) or []
        except KafkaException as error:
            log.warning("commit refused, tried again later", extra={"cause": str(error)})
            return False
        return all(each.error is None for each in answers)

    def pause(self) -> None:
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        self._consumer.resume(self._consumer.assignment())

    def lags(self, committed: Mapping[int, int]) -> Mapping[int, int]:
        """Messages beyond the committed offset, as far as the last fetch knew."""
        lags: dict[int, int] = {}
        for partition, offset in committed.items():
            low, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
            if high >= 0:
                lags[partition] = max(high - max(offset, low, 0), 0)
        return lags

    def close(self) -> None:
        """Leaves the group; what is on the way is waited for, as in a revocation."""
        self._consumer.close()

    def _places(self, partitions: list[TopicPartition]) -> dict[int, Place]:
        committed = self._consumer.committed(partitions, ANSWER_S)
        places: dict[int, Place] = {}
        for each in committed:
            low, _ = self._consumer.get_watermark_offsets(each, ANSWER_S)
            places[each.partition] = Place(low, each.offset if each.offset >= 0 else None)
        return places

    def _begin(self, starts: list[TopicPartition]) -> None:
        self._starts, self._changed = starts, True
        self._consumer.assign(starts)
        self._consumer.resume(starts)

    def _end(self, consumer: Consumer) -> None:
        self._starts, self._changed = [], True
        consumer.unassign()


def _is_message(message: KafkaMessage) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.fatal() or error.code() in {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.MSG_SIZE_TOO_LARGE,
    }:
        raise DataProcessingError(f"the raw topic cannot be read: {error.str()}", "bridge")
    log.warning("kafka reports", extra={"cause": error.str()})
    return False
