"""The raw topic as the loop's source: rebalances, explicit commits, pausing."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Protocol, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from pipeline.errors import DataProcessingError
from workers.bridge.batcher import Message
from workers.bridge.ports import Outage, Place

log = logging.getLogger(__name__)

ANSWER_S: Final = 10.0
LOOK_S: Final = 2.0
SOON_S: Final = 1.0


class Rebalanced(Protocol):
    """Who is told what the group decides. `assigned` may raise `Outage`: it is asked again."""

    def assigned(self, places: Mapping[int, Place]) -> dict[int, int]: ...
    def revoked(self) -> None: ...
    def lost(self) -> None: ...


class KafkaSource:
    """One consumer of one topic. `identify` asks for the topic's id and tells all who need it.

    A topic that was made again under its name causes no rebalance: its id is asked for every few seconds, and a new
    one begins the same partitions anew.
    """

    def __init__(self, consumer: Consumer, topic: str, identify: Callable[[], str], clock: Callable[[], float]) -> None:
        self._consumer, self._topic, self._identify, self._clock = consumer, topic, identify, clock
        self._identity = ""
        self._mine: list[TopicPartition] = []
        self._starts: list[TopicPartition] = []
        self._changed = False
        self._waiting = False  # the partitions are ours, but a server that says where they begin is away
        self._look_at = 0.0

    def subscribe(self, loop: Rebalanced) -> None:
        """Joins the group; the loop hears of assignments during `poll`."""
        self._loop = loop

        def on_assign(_: Consumer, partitions: list[TopicPartition]) -> None:
            self._mine = [TopicPartition(self._topic, each.partition) for each in partitions]
            self._take_up()

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
        self._look()
        first = self._consumer.poll(wait_s)
        messages = [] if first is None else [first, *self._rest(most - 1)]
        if self._changed and messages:
            # They may be of the assignment before: everything is read again from the starts.
            self._consumer.assign(self._starts)
            return []
        return cast("list[Message]", [each for each in messages if _is_message(each)])

    def _look(self) -> None:
        """Begins again what waits for a server, or what is of another topic now."""
        if not self._mine or self._clock() < self._look_at:
            return
        self._look_at = self._clock() + LOOK_S
        if not self._waiting and self._asked() in {self._identity, ""}:
            return
        if not self._waiting:
            log.warning("the topic was made again: its partitions begin anew", extra={"topic": self._topic})
            self._loop.lost()
        self._take_up()

    def _asked(self) -> str:
        """The topic's id; nothing where Kafka does not tell (away, or the topic is deleted and not made yet)."""
        try:
            return self._identify()
        except DataProcessingError as error:
            log.warning("the topic's id is not known", extra={"cause": str(error)})
            return ""

    def _take_up(self) -> None:
        self._look_at = self._clock() + LOOK_S
        try:
            self._identity = self._asked()
            if not self._identity:
                raise Outage("Kafka does not tell the topic's id")
            starts = self._loop.assigned(self._places(self._mine))
        except Outage as outage:
            log.warning("partitions wait for a server", extra={"cause": str(outage)})
            self._waiting = True
            self._begin([])
            return
        self._waiting = False
        self._begin([TopicPartition(self._topic, each, offset) for each, offset in starts.items()])

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

    def ends(self, partitions: Collection[int]) -> Mapping[int, int]:
        """One past the last message, as the brokers say now; none of those that do not answer soon."""
        found: dict[int, int] = {}
        for partition in partitions:
            try:
                _, found[partition] = self._consumer.get_watermark_offsets(
                    TopicPartition(self._topic, partition), SOON_S
                )
            except KafkaException as error:
                log.info("the end of a partition is not known", extra={"cause": str(error)})
                break
        return found

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
        self._mine, self._starts, self._changed, self._waiting = [], [], True, False
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
