"""The rows that `gridtick dlq ls` writes."""

from collections.abc import Sequence
from typing import Final, TypedDict

from gridtick.cli.letters.causes import Cause, Dead
from gridtick.cli.letters.plain import instant, plain
from gridtick.cli.letters.states import State

# The columns of a table; the other forms have all.
CAUSES_SHOWN: Final = (
    "cause", "stage", "market", "reason", "letters", "waiting", "replayed", "landed", "last_seen", "example", "name",
)  # fmt: skip
LETTERS_SHOWN: Final = ("id", "state", "attempts", "market", "name", "first_seen", "reason")


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
    states = [each.state for each in dead]
    newest = dead[0]
    return CauseRow(
        cause=cause.id, stage=plain(cause.stage), error=plain(cause.error_class), market=plain(cause.market) or None,
        reason=plain(cause.shape), letters=len(dead), waiting=states.count(State.waiting),
        replayed=states.count(State.replayed), landed=states.count(State.landed),
        first_seen=instant(min(each.letter.stamp_ms for each in dead)), last_seen=instant(newest.letter.written_ms),
        example=newest.id, name=plain(newest.letter.name or "") or None,
    )  # fmt: skip


def letter_row(dead: Dead) -> LetterRow:
    letter = dead.letter
    _, partition, offset = letter.first
    return LetterRow(
        id=dead.id, state=dead.state.value, attempts=letter.attempts, market=plain(letter.market or "") or None,
        name=plain(letter.name or "") or None, bytes=letter.size, refused_rows=letter.refused_rows,
        first_seen=instant(letter.stamp_ms), last_seen=instant(letter.written_ms), topic=plain(letter.topic),
        partition=partition, offset=offset, reason=plain(letter.message),
    )  # fmt: skip
