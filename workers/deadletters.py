"""Dead letters: the original key, value and headers untouched, and headers that say what happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec

from db.kafka.producer import ConfirmedProducer
from workers.codec import Header, Messages

PREFIX: Final = "gridtick."
MOST_ROWS: Final = 100
_MOST_TEXT: Final = 2000


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
        value, key = messages.values[cause.index], messages.keys[cause.index]
        producer.send(topic, value, key, headers_of(origin, messages, cause))
    if causes:
        producer.flush()


def headers_of(origin: Origin, messages: Messages, cause: Cause) -> list[Header]:
    """The original headers, then ours; one of ours that was there before (a replay) stays, further up."""
    offset, stamp = messages.offsets[cause.index], messages.stamps_us[cause.index]
    ours = dict(_facts(origin, offset, stamp, cause))
    return [
        *messages.headers.get(cause.index, []),
        *((PREFIX + name, value.encode()) for name, value in ours.items()),
    ]


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
        yield "rows", msgspec.json.encode(list(cause.rows[:MOST_ROWS])).decode()


def program_version() -> str:
    """The installed version of Gridtick."""
    try:
        return version("gridtick")
    except PackageNotFoundError:
        return "0"
