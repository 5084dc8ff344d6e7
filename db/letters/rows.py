"""Causes and dead letters as the rows of a list; their texts are those of others, as they came."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypedDict

from db.letters.causes import Cause, Dead
from db.letters.states import State


class CauseRow(TypedDict):
    """Dead letters of one cause; `example` and `name` are of the newest."""

    cause: str
    stage: str
    error: str
    market: str | None
    reason: str
    letters: int
    waiting: int
    replayed: int
    landed: int
    first_seen: str
    last_seen: str
    example: str
    name: str | None


class LetterRow(TypedDict):
    """One dead letter; topic, partition and offset are those of its first message."""

    id: str
    state: str
    attempts: int
    market: str | None
    name: str | None
    bytes: int
    refused_rows: int
    first_seen: str
    last_seen: str
    topic: str
    partition: int
    offset: int
    reason: str


def cause_row(cause: Cause, dead: Sequence[Dead]) -> CauseRow:
    """`dead`: those of the cause, the newest first."""
    states = [each.state for each in dead]
    newest = dead[0]
    return CauseRow(
        cause=cause.id, stage=cause.stage, error=cause.error_class, market=cause.market or None, reason=cause.shape,
        letters=len(dead), waiting=states.count(State.waiting), replayed=states.count(State.replayed),
        landed=states.count(State.landed), first_seen=instant(min(each.letter.stamp_ms for each in dead)),
        last_seen=instant(newest.letter.written_ms), example=newest.id, name=newest.letter.name or None,
    )  # fmt: skip


def letter_row(dead: Dead) -> LetterRow:
    letter = dead.letter
    _, partition, offset = letter.first
    return LetterRow(
        id=dead.id, state=dead.state.value, attempts=letter.attempts, market=letter.market or None,
        name=letter.name or None, bytes=letter.size, refused_rows=letter.refused_rows,
        first_seen=instant(letter.stamp_ms), last_seen=instant(letter.written_ms), topic=letter.topic,
        partition=partition, offset=offset, reason=letter.message,
    )  # fmt: skip


def instant(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
