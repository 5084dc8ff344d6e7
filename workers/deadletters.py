"""Dead letters: the original key, value and headers untouched, and headers that say what happened.

A message that Kafka will not take once more keeps its first bytes and its position, by which it is still found in
the raw topic; `gridtick.truncated_bytes` says how many bytes are missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec

from db.kafka.producer import ConfirmedProducer, TooLarge
from workers.codec import Header, Messages

PREFIX: Final = "gridtick."
MOST_ROWS: Final = 100
KEPT: Final = 64 * 1024  # bytes of a value, and of all else that was with it, that any topic takes
_MOST_TEXT: Final = 2000
_MOST_ROWS_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the messages of a batch come from."""

    topic: str
    topic_id: str
    partition: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one message (by its index in the batch) is dead; `rows` are the refused rows of its document."""

    index: int
    row: int
    stage: str
    error_class: str
    message: str
    attempts: int = 1
    rows: Sequence[dict[str, Any]] = ()
    refused: int = 0  # how many rows were refused, of which `rows` shows the first


def write(producer: ConfirmedProducer, topic: str, origin: Origin, messages: Messages, causes: Sequence[Cause]) -> None:
    """Writes one dead letter a cause and waits until all are on all replicas. Raises if one was not taken."""
    for cause in causes:
        _bury(producer, topic, _letter(origin, messages, cause))
    if causes:
        producer.flush()


@dataclass(frozen=True, slots=True)
class _Letter:
    value: bytes | None
    key: bytes | None
    theirs: Sequence[Header]
    ours: Sequence[Header]

    @property
    def size(self) -> int:
        return len(self.value or b"") + len(self.key or b"") + _size(self.theirs)


def _letter(origin: Origin, messages: Messages, cause: Cause) -> _Letter:
    index = cause.index
    theirs, ours = messages.headers.get(index, []), _ours(origin, messages, cause)
    return _Letter(messages.values[index], messages.keys[index], theirs, ours)


def _bury(producer: ConfirmedProducer, topic: str, letter: _Letter) -> None:
    """A large letter is confirmed on its own, so that it is known whether this one was too large."""
    if letter.size > KEPT:
        producer.flush()
    try:
        producer.send(topic, letter.value, letter.key, [*letter.theirs, *letter.ours])
        if letter.size > KEPT:
            producer.flush()
    except TooLarge:
        short = _shortened(letter)
        producer.send(topic, short.value, short.key, [*short.theirs, *short.ours])


def _shortened(letter: _Letter) -> _Letter:
    """The first bytes of the value; key and headers whole, as far as they fit."""
    key = letter.key if len(letter.key or b"") <= KEPT // 2 else None
    theirs = letter.theirs if _size(letter.theirs) <= KEPT // 2 else ()
    short = _Letter(letter.value[:KEPT] if letter.value else letter.value, key, theirs, letter.ours)
    missing = str(letter.size - short.size).encode()
    return _Letter(short.value, short.key, short.theirs, [*letter.ours, (PREFIX + "truncated_bytes", missing)])


def _size(headers: Iterable[Header]) -> int:
    return sum(len(name.encode()) + len(value or b"") for name, value in headers)


def _ours(origin: Origin, messages: Messages, cause: Cause) -> list[Header]:
    offset, stamp = messages.offsets[cause.index], messages.stamps_us[cause.index]
    return [(PREFIX + name, value.encode(errors="replace")) for name, value in _facts(origin, offset, stamp, cause)]


def _facts(origin: Origin, offset: int, stamp_us: int, cause: Cause) -> Iterator[tuple[str, str]]:
    yield "original_topic", origin.topic
    yield "original_partition", str(origin.partition)
    yield "original_offset", str(offset)
    yield "original_timestamp", str(stamp_us // 1000)
    yield "identity", f"{origin.topic_id}/{origin.partition}/{offset}/{cause.row}"
    yield "stage", cause.stage
    yield "error_class", cause.error_class
    yield "error_message", cause.message[:_MOST_TEXT]
    yield "attempts", str(cause.attempts)
    # The append time, not a clock: the same dead letter written twice is the same to the last byte.
    yield "first_seen", str(stamp_us // 1000)
    yield "program_version", program_version()
    if cause.refused:
        yield "refused_rows", str(cause.refused)
        yield "rows", _listed(cause.rows[:MOST_ROWS])


def _listed(rows: Sequence[dict[str, Any]]) -> str:
    """The first rows as JSON, as many as the header has room for."""
    room, listed = _MOST_ROWS_BYTES, list[str]()
    for row in rows:
        text = msgspec.json.encode(row)
        room -= len(text) + 1
        if room < 0:
            break
        listed.append(text.decode())
    return f"[{','.join(listed)}]"


def program_version() -> str:
    """The installed version of Gridtick."""
    try:
        return version("gridtick")
    except PackageNotFoundError:
        return "0"
