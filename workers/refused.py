"""From refused rows to dead letters and counts. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import polars as pl

from workers.codec import Messages
from workers.deadletters import MOST_ROWS, Cause
from workers.header import PART, Runs

_SHOWN: Final = ("row", "field", "value", "reason")


def causes(rejects: pl.DataFrame, messages: Messages) -> list[Cause]:
    """One cause a message that has refusals (`pipeline.schema.REJECTS`), in offset order."""
    index = {offset: at for at, offset in enumerate(messages.offsets)} if rejects.height else {}
    return [
        _cause(index[int(str(offset))], rows)
        for (offset,), rows in rejects.sort("offset", maintain_order=True).group_by("offset", maintain_order=True)
    ]


def _cause(index: int, rows: pl.DataFrame) -> Cause:
    whole = rows.filter(pl.col("whole"))
    first = (whole if whole.height else rows).row(0, named=True)
    if whole.height:
        return Cause(index, 0, "normalize", "MessageRefused", first["reason"])
    shown: Sequence[dict[str, Any]] = rows.select(_SHOWN).head(MOST_ROWS).to_dicts()
    where = f"row {first['row']}" if first["row"] else "a whole document"
    message = f"{rows.height} rows refused, the first ({where}): {first['reason']}"
    return Cause(index, 0, "normalize", "RowsRefused", message, rows=shown, refused=rows.height)


def runs(refused: Sequence[int], messages: int) -> Runs:
    """The runs of whole-message refusals, given their ascending indexes among so many messages."""
    lengths = list(_lengths(refused))
    if not lengths:
        return Runs()
    lead = lengths[0][1] if lengths[0][0] == 0 else 0
    last_start, last = lengths[-1]
    trail = last if last_start + last == messages else 0
    return Runs(lead, trail, max(length for _, length in lengths), _parts(refused, messages))


def _parts(refused: Sequence[int], messages: int) -> tuple[int, ...]:
    parts = [0] * -(-messages // PART)
    for index in refused:
        parts[index // PART] += 1
    return tuple(parts)


def _lengths(refused: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = length = 0
    for index in refused:
        if length and index == start + length:
            length += 1
            continue
        if length:
            yield start, length
        start, length = index, 1
    if length:
        yield start, length
