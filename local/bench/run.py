"""One run of Gridtick over a loaded topic: from the bridge's assignment until everything has landed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import redis
from confluent_kafka import Consumer, TopicPartition

from local import apps
from local.bench import usage
from local.stack import Stack
from local.supervisor import Supervisor
from pipeline.errors import DataProcessingError
from service.settings import load

_LOOK_S: Final = 0.1
_MEMORY_LOOKS: Final = 10  # a look at memory walks all processes: not at every turn
_PATIENCE_S: Final = 900.0
SERVERS: Final = ("clickhouse", "postgres", "redis")  # the broker is not counted, for nobody
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run took. CPU of every process but the broker; the largest resident sizes seen on the way."""

    seconds: float
    cpu_s: float
    bridge_mib: float
    worker_mib: float
    cpu_by_process: Mapping[str, float]


class Progress:
    """How far a consumer group is on the raw topic."""

    def __init__(self, stack: Stack) -> None:
        self._kafka = load(stack.environ).kafka
        self._consumer = Consumer(
            {"bootstrap.servers": self._kafka.bootstrap, "group.id": self._kafka.group_id, "log_level": 0}
        )
        topic = self._kafka.raw_topic
        known = self._consumer.list_topics(topic, timeout=10).topics[topic].partitions
        self._places = [TopicPartition(topic, number) for number in known]
        self.end = sum(self._consumer.get_watermark_offsets(place, timeout=10)[1] for place in self._places)

    def committed(self) -> int:
        """Messages committed so far, over all partitions."""
        return sum(max(0, place.offset) for place in self._consumer.committed(self._places, timeout=10))

    def close(self) -> None:
        self._consumer.close()


def of_its_own(stack: Stack, name: str) -> Stack:
    """The same servers with another consumer group and database, so that a run starts from nothing."""
    own = {"DATA_PROC_KAFKA_GROUP_ID": f"bench-{name}", "DATA_PROC_CLICKHOUSE_DATABASE": f"bench_{name}"}
    return replace(stack, environ={**stack.environ, **own})


def measure(stack: Stack, say: Callable[[str], None]) -> Outcome:
    """Lets bridge and workers read the whole raw topic. The workers stand ready before the clock starts."""
    supervisor = Supervisor(say)
    progress = Progress(stack)
    try:
        supervisor.start([apps.workers(stack)])
        usage.until_quiet(supervisor.pids()["workers"])
        before = _cpu(stack, supervisor)
        supervisor.start([apps.bridge(stack)])
        _until_assigned(stack)
        began = time.monotonic()
        bridge, worker = _watch(supervisor, progress, began)
        took = time.monotonic() - began
        used = {name: cpu - before.get(name, 0.0) for name, cpu in _cpu(stack, supervisor).items()}
        return Outcome(took, sum(used.values()), bridge / _MIB, worker / _MIB, used)
    finally:
        progress.close()
        supervisor.stop()


def _until_assigned(stack: Stack) -> None:
    """Waits until the bridge has its partitions: the peers' clocks start with their first message too."""
    client = redis.Redis.from_url(load(stack.environ).redis.url.get_secret_value())
    while not any(client.scan_iter("starts:*")):
        time.sleep(_LOOK_S / 10)
    client.close()


def _watch(supervisor: Supervisor, progress: Progress, began: float) -> tuple[int, int]:
    """Waits for the end; the largest bridge and worker process seen."""
    bridge = worker = turn = 0
    while progress.committed() < progress.end:
        if time.monotonic() - began > _PATIENCE_S:
            raise DataProcessingError(f"nothing like {progress.end} messages landed in {_PATIENCE_S:.0f} s", "cli")
        turn += 1
        if turn % _MEMORY_LOOKS == 0:
            pids = supervisor.pids()
            bridge = max(bridge, usage.of_tree(pids["bridge"]).largest)
            worker = max(worker, usage.of_tree(pids["workers"]).largest)
        time.sleep(_LOOK_S)
    return bridge, worker


def _cpu(stack: Stack, supervisor: Supervisor) -> dict[str, float]:
    servers = stack.supervisor.pids()
    pids = {name: servers[name] for name in SERVERS} | supervisor.pids()
    return {name: usage.of_tree(pid).cpu_s for name, pid in pids.items()}
