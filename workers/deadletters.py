"""Dead letters: the original key, value and headers untouched, and headers that say what happened.

A message that Kafka will not take once more keeps its first bytes and its position, by which it is still found in
the raw topic; `gridtick.truncated_bytes` says how many bytes are missing.

A replay that is refused again is the same dead letter at its next attempt: identity and `original_…` are those of the
first message, and `gridtick.replayed_at` says where the replay was read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec

from db.kafka.letters import PREFIX, THEIR_OWN
from db.kafka.producer import ConfirmedProducer, TooLarge
from pipeline import replay
from pipeline.replay import Labels, Replay
from workers.codec import Header, Messages

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
    theirs = messages.headers.get(index, [])
    again = replay.of(theirs)
    if again is not None:
        theirs = [each for each in theirs if each[0] not in THEIR_OWN]
    return _Letter(messages.values[index], messages.keys[index], theirs, _ours(origin, messages, cause, again))


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


def _ours(origin: Origin, messages: Messages, cause: Cause, again: Replay | None) -> list[Header]:
    offset, stamp_ms = messages.offsets[cause.index], messages.stamps_us[cause.index] // 1000
    first = again or Replay(origin.topic, origin.topic_id, origin.partition, offset, stamp_ms, cause.attempts)
    facts = dict(_facts(first, cause))
    if again is not None:
        facts["replayed_at"] = replay.position(origin.topic_id, origin.partition, offset)
    return [(PREFIX + name, value.encode(errors="replace")) for name, value in facts.items()]


def _facts(first: Replay, cause: Cause) -> Iterator[tuple[str, str]]:
    yield "original_topic", first.topic
    yield "original_partition", str(first.partition)
    yield "original_offset", str(first.offset)
    yield "original_timestamp", str(first.stamp_ms)
    yield "identity", f"{first.origin}/{cause.row}"
    yield "stage", cause.stage
    yield "error_class", cause.error_class
    yield "error_message", cause.message[:_MOST_TEXT]
    yield "attempts", str(first.attempt)
    # The append time, not a clock: the same dead letter written twice is the same to the last byte.
    yield "first_seen", str(first.stamp_ms)
    yield "program_version", program_version()
    if first.labels != Labels():
        yield "labels", msgspec.json.encode(first.labels).decode()
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
