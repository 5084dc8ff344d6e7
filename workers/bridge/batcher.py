"""Cuts polled messages into batches, per partition, by count, bytes or age. Pure: time comes in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workers.codec import Header, Messages

PATIENT = 50


class Message(Protocol):
    """A polled message, as confluent-kafka gives it."""

    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...
    def timestamp(self) -> tuple[int, int]: ...
    def key(self) -> bytes | None: ...
    def headers(self) -> list[Header] | None: ...
    def value(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a batch is cut: whichever comes first. A message larger than `size` is a batch of its own."""

    messages: int
    size: int
    age_s: float


@dataclass(frozen=True, slots=True)
class Cut:
    """A finished batch: the offsets [first, next) of a partition; control records leave holes in them."""

    partition: int
    first: int
    next: int
    messages: Messages
    size: int


@dataclass(slots=True)
class _Open:
    first: int
    known_at_us: int
    expected: int
    opened_at: float = 0.0
    size: int = 0
    offsets: list[int] = field(default_factory=list[int])
    stamps: list[int] = field(default_factory=list[int])
    known: list[int] = field(default_factory=list[int])
    keys: list[bytes | None] = field(default_factory=list[bytes | None])
    headers: dict[int, list[Header]] = field(default_factory=dict[int, list[Header]])
    values: list[bytes | None] = field(default_factory=list[bytes | None])


class Batcher:
    """Open batches by partition. A batch starts where the previous one of its partition ended."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[int, _Open] = {}

    @property
    def open_bytes(self) -> int:
        """Payload bytes that wait for their batch."""
        return sum(each.size for each in self._open.values())

    @property
    def waiting(self) -> list[int]:
        """The partitions with messages that wait for their batch."""
        return [partition for partition, each in self._open.items() if each.offsets]

    def assign(self, partition: int, start: int, known_at_us: int) -> None:
        """Begins a partition at an offset, with the floor of its running maximum of append times."""
        self._open[partition] = _Open(start, known_at_us, start)

    def forget(self) -> None:
        """Drops every partition and what was open: it is read again by whoever is assigned next."""
        self._open.clear()

    def add(self, messages: Iterable[Message], now: float) -> list[Cut]:
        """Takes messages in the order polled; gives the batches that are full.

        Messages of other partitions, and offsets that were taken already, are ignored.
        """
        cuts: list[Cut] = []
        for message in messages:
            batch = self._open.get(message.partition() or 0)
            if batch is None or (message.offset() or 0) < batch.expected:
                continue
            value = message.value()
            size = len(value) if value else 0
            if batch.offsets and batch.size + size > self._limits.size:
                cuts.append(self._cut(message.partition() or 0, batch))
                batch = self._open[message.partition() or 0]
            if not batch.offsets:
                batch.opened_at = now
            _append(batch, message, value, size)
            if len(batch.offsets) >= self._limits.messages or batch.size >= self._limits.size:
                cuts.append(self._cut(message.partition() or 0, batch))
        return cuts

    def expired(self, now: float, *, patient: bool = False) -> list[Cut]:
        """All open batches, once the first message of one has waited long enough: they travel together.

        While others are being worked on they wait up to `PATIENT` times as long: a batch costs the same whether it
        holds one message or thousands.
        """
        open_batches = [(partition, batch) for partition, batch in self._open.items() if batch.offsets]
        longest_s = self._limits.age_s * (PATIENT if patient else 1)
        is_due = any(now - batch.opened_at >= longest_s for _, batch in open_batches)
        return [self._cut(partition, batch) for partition, batch in open_batches] if is_due else []

    def _cut(self, partition: int, batch: _Open) -> Cut:
        end = batch.offsets[-1] + 1
        self._open[partition] = _Open(end, batch.known_at_us, end)
        messages = Messages(batch.offsets, batch.stamps, batch.known, batch.keys, batch.headers, batch.values)
        return Cut(partition, batch.first, end, messages, batch.size)


def _append(batch: _Open, message: Message, value: bytes | None, size: int) -> None:
    stamp = message.timestamp()[1] * 1000
    batch.known_at_us = max(batch.known_at_us, stamp)
    headers = message.headers()
    if headers:
        batch.headers[len(batch.offsets)] = headers
    offset = message.offset() or 0
    batch.expected = offset + 1
    batch.offsets.append(offset)
    batch.stamps.append(stamp)
    batch.known.append(batch.known_at_us)
    batch.keys.append(message.key())
    batch.values.append(value)
    batch.size += size


def halves(first: int, end: int, messages: Messages) -> Sequence[tuple[int, int, Messages]]:
    """Splits a batch of two messages or more into two ranges that join without a hole."""
    middle = len(messages.offsets) // 2
    border = messages.offsets[middle]
    return (
        (first, border, messages.part(0, middle)),
        (border, end, messages.part(middle, len(messages.offsets))),
    )
