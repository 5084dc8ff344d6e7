"""What the bridge's loop needs from the world; the real ones are thin, the tests bring their own."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from db.redis.acks import Ack
from workers.bridge.batcher import Message
from workers.bridge.window import Flight


class Outage(Exception):
    """A server is away; what was asked is tried again later."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a partition stands at assignment: the log's first offset and what the group has committed."""

    low: int
    committed: int | None


@dataclass(frozen=True, slots=True)
class Start:
    """Where a partition begins: its first offset and the running maximum of append times before it."""

    offset: int
    known_at_us: int


class Source(Protocol):
    """The raw topic. Assignments and revocations arrive during `poll`; a new assignment is not paused."""

    def poll(self, most: int, wait_s: float) -> Sequence[Message]: ...
    def commit(self, offsets: Mapping[int, int]) -> bool: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def lags(self, committed: Mapping[int, int]) -> Mapping[int, int]: ...
    def ends(self, partitions: Collection[int]) -> Mapping[int, int]: ...


class Dispatcher(Protocol):
    """Celery and Redis. Every call may raise `Outage`."""

    def open(self, assignment: str) -> None: ...
    def is_open(self, assignment: str) -> bool: ...
    def send(self, assignment: str, flights: Sequence[Flight]) -> None: ...
    def is_preparing(self) -> bool: ...
    def acks(self, assignment: str, wait_s: float) -> Sequence[Ack]: ...
    def take_started(self, assignment: str, batch_id: str) -> str | None: ...
    def waiting(self) -> int: ...
    def heal(self) -> None: ...
    def note_quiet(self, partitions: Collection[int], until_us: Mapping[int, int]) -> None: ...
    def withdraw(self, flights: Sequence[Flight]) -> None: ...


class Room(Protocol):
    """Room in the store."""

    def lacking(self) -> str: ...


class Ledger(Protocol):
    """The landed ranges. Every call may raise `Outage`."""

    def start(self, partition: int, place: Place) -> Start: ...
    def bury(self, flight: Flight) -> None: ...


class DeadLetters(Protocol):
    """Writes and flushes the dead letter of a single message. May raise `Outage`."""

    def write(self, flight: Flight, stage: str) -> None: ...
