"""A producer of many small messages: whole batches at a time, heard of only where one was not taken."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

from pipeline.errors import DataProcessingError

FLUSH_S: Final = 20.0
_AT_ONCE: Final = 5_000
_QUEUE_KIB: Final = 16 * 1024
_FIX: Final = "Is the broker reachable, and is the topic made (`gridtick up` and the migration make it)?"


class EventProducer:
    """Sends (key, value) pairs. After `flush` returns, everything sent since the last one is on all replicas.

    What raises forgets all that was not confirmed yet, and the next pair goes through a client made anew: one that
    librdkafka has given up sends nothing any more.
    """

    def __init__(self, bootstrap: str, message_max_bytes: int) -> None:
        self._config: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "message.max.bytes": message_max_bytes,
            "compression.type": "lz4",
            "linger.ms": 20,
            "log_level": 0,  # what fails is raised by `flush`, with its reason
            "message.timeout.ms": int(FLUSH_S * 1000),
            "queue.buffering.max.kbytes": _QUEUE_KIB,
            "delivery.report.only.error": True,
        }
        self._begin()

    def _begin(self) -> None:
        self._producer = Producer(self._config)
        self._failed: KafkaError | None = None

    def send(self, topic: str, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Queues the pairs; waits while the queue is full. Raises `DataProcessingError` if one was not taken."""
        messages = ({"key": key, "value": value} for key, value in pairs)
        while some := list(islice(messages, _AT_ONCE)):
            left = some
            while left:
                left = list(self._queued(topic, left))
                self._producer.poll(0.05 if left else 0)
                self._refuse_failed()

    def flush(self) -> None:
        """Waits for every pair sent. Raises `DataProcessingError` if one was not taken."""
        left = self._producer.flush(FLUSH_S)
        self._refuse_failed()
        if left:
            raise self._untaken(f"{left} were not confirmed in time")

    def _refuse_failed(self) -> None:
        if self._failed is not None:
            raise self._untaken(self._failed.str())

    def _queued(self, topic: str, messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Gives those for which the queue had no room."""
        try:
            self._producer.produce_batch(topic, messages, on_delivery=self._delivered)
        except BufferError:
            yield from messages
            return
        for message in messages:
            error = message.pop("_error", None)
            if error is None:
                continue
            if error.code() != KafkaError._QUEUE_FULL:
                raise self._untaken(error.str())
            yield message

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        self._failed = error or self._failed

    def _untaken(self, reason: str) -> DataProcessingError:
        self._producer.purge()
        self._begin()
        return DataProcessingError(f"Kafka did not take an outgoing event: {reason}. {_FIX}", "kafka")
