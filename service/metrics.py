"""The closed list of metrics: a name that is not here cannot be counted, and each says what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

Part = Literal["bridge", "workers", "api"]
MetricName = Literal[
    "bridge_messages",
    "bridge_batches",
    "bridge_resends",
    "bridge_landed_messages",
    "bridge_lag_messages",
    "bridge_window_bytes",
    "bridge_paused",
    "bridge_disk_full",
    "bridge_tripped",
    "task_seconds",
    "task_failures",
    "ticks_read",
    "ticks_flagged",
    "ticks_stored",
    "latest_written",
    "dead_letters",
    "events_written",
    "instruments_registered",
    "http_requests",
    "http_request_seconds",
    "http_in_flight",
    "auth_refusals",
    "store_failures",
    "stream_connections",
    "stream_frames",
    "stream_replays",
    "stream_slow",
    "stream_lost",
]


@dataclass(frozen=True, slots=True)
class Definition:
    """What a metric is: whose, its kind, its meaning (with the unit) and its labels in order."""

    part: Part
    kind: Literal["counter", "gauge", "seconds"]
    meaning: str
    labels: tuple[str, ...] = ()


DEFINITIONS: Final[Mapping[MetricName, Definition]] = {
    "bridge_messages": Definition("bridge", "counter", "messages polled from the raw topic"),
    "bridge_batches": Definition("bridge", "counter", "batches sent to the queue `normalize`, first sends only"),
    "bridge_resends": Definition("bridge", "counter", "batches sent again because they had not landed in time"),
    "bridge_landed_messages": Definition("bridge", "counter", "messages reported landed"),
    "bridge_lag_messages": Definition("bridge", "gauge", "messages of a partition not yet committed", ("partition",)),
    "bridge_window_bytes": Definition("bridge", "gauge", "payload bytes on the way between poll and landing"),
    "bridge_disk_full": Definition("bridge", "gauge", "1 while intake is stopped for lack of room on the store's disk"),
    "bridge_paused": Definition("bridge", "gauge", "1 while polling pauses because the window is full"),
    "bridge_tripped": Definition("bridge", "gauge", "1 once too many messages could not be read: none is polled then"),
    "task_seconds": Definition("workers", "seconds", "time a task took", ("task",)),
    "task_failures": Definition("workers", "counter", "tasks that ended in an error", ("task",)),
    "ticks_read": Definition("workers", "counter", "ticks read from messages, repeats included", ("market",)),
    "ticks_flagged": Definition(
        "workers", "counter", "ticks read with a flag other than VALID, repeats included", ("market", "flag")
    ),
    "ticks_stored": Definition("workers", "counter", "publications inserted in ClickHouse, repeats included"),
    "latest_written": Definition("workers", "counter", "latest prices that the compare-and-set accepted"),
    "dead_letters": Definition("workers", "counter", "dead letters written, repeats included"),
    "events_written": Definition("workers", "counter", "outgoing events written, repeats included", ("topic",)),
    "instruments_registered": Definition("workers", "counter", "instruments seen for the first time"),
    "http_requests": Definition("api", "counter", "answered requests", ("method", "route", "status")),
    "http_request_seconds": Definition("api", "seconds", "time from request to the end of its answer", ("route",)),
    "http_in_flight": Definition("api", "gauge", "requests being answered"),
    "auth_refusals": Definition("api", "counter", "requests refused by the guard", ("reason",)),
    "store_failures": Definition("api", "counter", "store calls that failed or ran out of time", ("store",)),
    "stream_connections": Definition("api", "gauge", "open connections of the live stream"),
    "stream_frames": Definition("api", "counter", "frames of the live stream that were sent", ("type",)),
    "stream_replays": Definition("api", "gauge", "subscriptions of the live stream that are told history"),
    "stream_slow": Definition("api", "counter", "times that a slow client met its policy", ("policy",)),
    "stream_lost": Definition("api", "counter", "times that the landed log was lost, or ran ahead of the live stream"),
}

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


_Made = TypeVar("_Made", Counter, Gauge, Histogram)


class Metrics:
    """The metrics of one part in one process, in a registry of their own: two services in one test do not mix."""

    def __init__(self, part: Part) -> None:
        self.registry = CollectorRegistry()
        self._children: dict[tuple[str, ...], Any] = {}
        self._made = {name: _make(name, each, self.registry) for name, each in DEFINITIONS.items() if each.part == part}

    def count(self, name: MetricName, amount: float = 1, /, **labels: str) -> None:
        """Adds to a counter."""
        self._of(name, Counter, labels).inc(amount)

    def set(self, name: MetricName, value: float, /, **labels: str) -> None:
        """Sets a gauge."""
        self._of(name, Gauge, labels).set(value)

    def observe(self, name: MetricName, seconds: float, /, **labels: str) -> None:
        """Adds one duration to a histogram."""
        self._of(name, Histogram, labels).observe(seconds)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format, `CONTENT_TYPE`."""
        return generate_latest(self.registry)

    def value(self, name: str, /, **labels: str) -> float:
        """One sample as it would be exposed (`http_requests_total`), 0 where nothing was counted."""
        return self.registry.get_sample_value(f"gridtick_{name}", labels) or 0.0

    def _of(self, name: MetricName, kind: type[_Made], labels: dict[str, str]) -> _Made:
        """The metric with these labels; kept, for looking it up takes longer than counting."""
        found = self._children.get((name, kind.__name__, *labels.values()))
        if found is None:
            found = self._children[name, kind.__name__, *labels.values()] = self._found(name, kind, labels)
        return found

    def _found(self, name: MetricName, kind: type[_Made], labels: dict[str, str]) -> _Made:
        metric = self._made.get(name)
        if not isinstance(metric, kind):
            defined = DEFINITIONS[name]
            raise TypeError(f"the metric {name} is a {defined.kind} of the part {defined.part}")
        return metric.labels(**labels) if labels else metric


def _make(name: str, definition: Definition, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    full = f"gridtick_{name}"
    if definition.kind == "counter":
        return Counter(full, definition.meaning, definition.labels, registry=registry)
    if definition.kind == "gauge":
        return Gauge(full, definition.meaning, definition.labels, registry=registry)
    return Histogram(full, definition.meaning, definition.labels, registry=registry, buckets=_SECONDS)
