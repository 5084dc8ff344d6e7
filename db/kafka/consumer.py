"""The consumer of the raw topic: explicit commits, bounded memory, offsets given at assignment."""

from typing import Final

from confluent_kafka import Consumer

from service.settings import Kafka

QUEUE_KIB: Final = 8 * 1024  # what librdkafka fetches ahead, over all partitions
FETCH_BYTES: Final = 1024 * 1024  # compressed, it may unpack to many times that; a larger message comes all the same


def make_consumer(bootstrap: str, group: str, message_max_bytes: int) -> Consumer:
    """A consumer that stores and commits nothing by itself; a group starts at the earliest message.

    The eager assignor: every assignment names all its partitions at once.
    """
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "partition.assignment.strategy": "range",
            "session.timeout.ms": 10_000,
            "heartbeat.interval.ms": 2_000,
            "max.poll.interval.ms": 120_000,
            "queued.max.messages.kbytes": QUEUE_KIB,
            "queued.min.messages": 20_000,
            "fetch.max.bytes": FETCH_BYTES,
            "max.partition.fetch.bytes": FETCH_BYTES // 2,
            "receive.message.max.bytes": message_max_bytes + 2 * FETCH_BYTES,
            "fetch.queue.backoff.ms": 10,
            "fetch.wait.max.ms": 50,
            "topic.metadata.refresh.interval.ms": 30_000,
            "log_level": 4,
        }
    )


def reader(kafka: Kafka, group: str) -> Consumer:
    """A consumer that looks at partitions to their end and commits nothing. It joins no group: `group` is the one whose
    committed offsets it can tell."""
    return Consumer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
            "queued.max.messages.kbytes": 16_384,
        }
    )
