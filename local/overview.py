"""What runs, how far the bridge is behind, how fresh the prices are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psutil

from local.state import StackState
from service.settings import Kafka, Lane, Settings, load

_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Process:
    """A child with its memory; `memory_mib` counts its own children too. Dead ones are not alive.

    `restarts`: how often it was started again since the stack runs.
    """

    name: str
    pid: int
    alive: bool
    memory_mib: float
    running_s: float
    restarts: int


@dataclass(frozen=True, slots=True)
class Lag:
    """One partition of a lane's topic: the first offset that is not committed, and the end."""

    partition: int
    committed: int
    end: int

    @property
    def waiting(self) -> int:
        return self.end - self.committed


@dataclass(frozen=True, slots=True)
class Freshness:
    """How many publications are stored and when the newest one became known (None: nothing is stored)."""

    publications: int
    newest: datetime | None


def processes(running: StackState, now: datetime) -> Iterator[Process]:
    """Every process that the stack has started."""
    for name, pid in running.processes.items():
        again = running.restarts.get(name, 0)
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
            memory = sum(each.memory_info().rss for each in family) / 1024**2
            age = now.timestamp() - root.create_time()
            yield Process(name, pid, alive=True, memory_mib=memory, running_s=age, restarts=again)
        except psutil.Error:
            yield Process(name, pid, alive=False, memory_mib=0, running_s=0, restarts=again)


def settings_of(running: StackState) -> Settings:
    """The settings that the stack's own processes have."""
    return load(running.variables())


def lags(kafka: Kafka, lane: Lane) -> list[Lag]:
    """The partitions of a lane's topic. Raises `KafkaException` when Kafka does not answer."""
    from confluent_kafka import Consumer, TopicPartition

    consumer: Any = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": kafka.group_of(lane), "log_level": 0})
    try:
        topic = kafka.topic_of(lane)
        numbers = sorted(consumer.list_topics(topic, timeout=_SECONDS).topics[topic].partitions)
        held = consumer.committed([TopicPartition(topic, number) for number in numbers], timeout=_SECONDS)
        return [_lag(consumer, position) for position in held]
    finally:
        consumer.close()


def _lag(consumer: Any, position: Any) -> Lag:
    first, end = consumer.get_watermark_offsets(position, timeout=_SECONDS)
    return Lag(position.partition, position.offset if position.offset >= 0 else first, end)


def freshness(settings: Settings) -> Freshness:
    """From the stored publications. Raises the client's error when ClickHouse does not answer."""
    from db.clickhouse.client import connect

    client = connect(settings.clickhouse)
    try:
        asked = "SELECT count(), toUnixTimestamp64Micro(max(known_at)) FROM ticks"
        ((count, newest),) = client.query(asked).result_rows
    finally:
        client.close()
    return Freshness(int(count), datetime.fromtimestamp(newest / 1e6, UTC) if count else None)


def room(settings: Settings) -> tuple[int, str]:
    """Bytes free on ClickHouse's disk, and why that stops live prices, if it does. Raises the client's error."""
    from workers.bridge.room import ClickHouseDisk, disk_room

    free = ClickHouseDisk(settings)()
    return free, disk_room(settings, lambda: free, lambda: 0.0).lacking()
