"""A producer that loses nothing silently: acks from all replicas, idempotent, and a flush that tells."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from db.kafka.admin import HEADER_ROOM
from db.kafka.away import KafkaAway
from pipeline.errors import DataProcessingError

FLUSH_S: Final = 20.0
Headers = Sequence[tuple[str, bytes | None]]
_SIZES: Final = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE, KafkaError.RECORD_LIST_TOO_LARGE)


class TooLarge(DataProcessingError):
    """A message that this producer, or the broker, will never take as it is."""


class ConfirmedProducer:
    """Sends messages and remembers what the broker did with each.

    After `flush` returns, everything sent since the last one is on all replicas; otherwise it raises.
    """

    def __init__(self, bootstrap: str, message_max_bytes: int) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "message.max.bytes": message_max_bytes + HEADER_ROOM,
                "compression.type": "lz4",
                "linger.ms": 5,
                "log_level": 0,  # what fails is raised by `flush`, with its reason
                "message.timeout.ms": int(FLUSH_S * 1000),
                "queue.buffering.max.kbytes": 65_536,
            }
        )
        self._failed: list[KafkaError] = []
        self._spans: dict[int, tuple[int, int]] = {}

    def send(self, topic: str, value: bytes | None, key: bytes | None = None, headers: Headers = ()) -> None:
        """Queues one message; waits while the queue is full. Raises `TooLarge` for one that will never be taken."""
        while True:
            try:
                self._producer.produce(topic, value, key, headers=list(headers), on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                raise _untaken(error.args[0]) from None
            else:
                self._producer.poll(0)
                return

    def flush(self) -> dict[int, tuple[int, int]]:
        """Waits for every message sent; gives by partition the offsets [first, next) of all written so far.

        Raises `DataProcessingError` if one was not taken, `TooLarge` if all those were too large.
        """
        left = self._producer.flush(FLUSH_S)
        failed, self._failed = self._failed, []
        if left:
            reason = f"{left} messages were not confirmed in time"
            raise KafkaAway(f"Kafka did not take a message: {reason}. Is the broker reachable?", "kafka")
        if failed:
            raise _untaken(next((error for error in failed if error.code() not in _SIZES), failed[0]))
        return dict(self._spans)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed.append(error)
            return
        partition, offset = message.partition(), message.offset()
        if partition is not None and offset is not None:
            first, end = self._spans.get(partition, (offset, offset + 1))
            self._spans[partition] = (min(first, offset), max(end, offset + 1))


def _untaken(error: KafkaError) -> DataProcessingError:
    if error.code() in _SIZES:
        return TooLarge(f"Kafka takes no message of this size: {error.str()}. Raise max.message.bytes", "kafka")
    return KafkaAway(f"Kafka did not take a message: {error.str()}. Is the broker reachable?", "kafka")
