"""The rows that `gridtick dlq ls` writes: no byte of others in them can steer a terminal."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar, cast

from db.letters import rows
from db.letters.causes import Cause, Dead
from db.letters.rows import CauseRow, LetterRow
from gridtick.cli.letters.plain import plain

# The columns of a table; the other forms have all.
CAUSES_SHOWN: Final = (
    "cause", "stage", "market", "reason", "letters", "waiting", "replayed", "landed", "last_seen", "example", "name",
)  # fmt: skip
LETTERS_SHOWN: Final = ("id", "state", "attempts", "market", "name", "first_seen", "reason")
RowT = TypeVar("RowT", CauseRow, LetterRow)


def cause_row(cause: Cause, dead: Sequence[Dead]) -> CauseRow:
    return _plain(rows.cause_row(cause, dead))


def letter_row(dead: Dead) -> LetterRow:
    return _plain(rows.letter_row(dead))


def _plain(row: RowT) -> RowT:
    each = cast("dict[str, Any]", row).items()
    return cast("RowT", {name: plain(value) if isinstance(value, str) else value for name, value in each})
