"""One dead letter for a person: what happened, where it came from, and the beginning of what it holds."""

from collections.abc import Iterator
from typing import Final

import msgspec

from db.kafka.letters import Original
from db.letters.causes import Dead
from db.letters.rows import instant
from gridtick.cli.letters.content import readable
from gridtick.cli.letters.plain import lines, plain

_ROWS: Final = 20
_LINES: Final = 20
_BYTES: Final = 2_000
_HEADER: Final = 300  # characters of a header of theirs
_WIDTH: Final = 18


def described(dead: Dead, original: Original) -> Iterator[str]:
    """The lines, without a character that could steer a terminal."""
    for name, value in _facts(dead, original):
        if value:
            yield f"{name:<{_WIDTH}} {plain(value)}"
    yield from _rows(original)
    yield from _headers(original)
    yield from _head(original)


def _facts(dead: Dead, original: Original) -> Iterator[tuple[str, str]]:
    letter = dead.letter
    yield "dead letter", dead.id
    yield "cause", dead.cause
    yield "state", _state(dead)
    yield "stage", letter.stage
    yield "error", letter.error_class
    yield "reason", letter.message
    yield "attempts", str(letter.attempts)
    yield "first seen", instant(letter.stamp_ms)
    yield "last refused", instant(letter.written_ms)
    yield "program version", original.told.get("program_version", "")
    yield "message", f"{letter.origin} of {letter.topic}"
    yield "read last at", original.told.get("replayed_at", "")
    yield "market", letter.market or ""
    yield "name", letter.name or ""
    yield "read with", ", ".join(f"{each}={text}" for each, text in msgspec.to_builtins(letter.labels).items())
    yield "bytes", f"{letter.size}{_missing(letter.truncated_bytes)}"


def _state(dead: Dead) -> str:
    return dead.state if not dead.asked else f"{dead.state} (sent again as attempt {dead.asked})"


def _missing(truncated: int) -> str:
    return f", {truncated} of them only in its own topic: Kafka would not take it once more" if truncated else ""


def _rows(original: Original) -> Iterator[str]:
    try:
        rows = msgspec.json.decode(original.told.get("rows", "[]"), type=list[dict[str, object]])
    except msgspec.MsgspecError:
        return
    if rows:
        yield f"\nrefused rows ({original.told.get('refused_rows', len(rows))} in all)"
    for row in rows[:_ROWS]:
        yield f"  row {row.get('row')}: {plain(str(row.get('reason', '')))}"
    if len(rows) > _ROWS:
        yield "  …"


def _headers(original: Original) -> Iterator[str]:
    if original.key is None and not original.headers:
        return
    yield "\nits own key and headers"
    if original.key is not None:
        yield f"  key = {_short(original.key)}"
    for name, value in original.headers:
        yield f"  {plain(name)} = {_short(value or b'')}"


def _short(value: bytes) -> str:
    return plain(value.decode(errors="backslashreplace"))[:_HEADER]


def _head(original: Original) -> Iterator[str]:
    content = readable(original.value or b"")
    head = b"\n".join(content.splitlines()[:_LINES])[:_BYTES]
    more = "" if len(head) + 1 >= len(content) else f", the first {len(head)} of {len(content)} bytes"
    yield f"\nwhat it holds{more} (all of it: --output FILE)" if content else "\nit holds nothing"
    yield lines(head)
