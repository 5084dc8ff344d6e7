"""Files as raw messages: one document a file, or one envelope a line."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from db.kafka import envelopes
from pipeline.errors import DataProcessingError
from service import clock

_LINES: Final = (".ndjson", ".jsonl")
_HEAD: Final = 64 * 1024
SOURCE: Final = "gridtick.send"


class Message(NamedTuple):
    """One message to send; `size`: how many bytes of its file it stands for; `at_s`: when its sender made it."""

    value: bytes
    key: bytes | None
    size: int
    at_s: float | None = None


class _Payload(msgspec.Struct):
    instrument_id: str | None = None


class _Head(msgspec.Struct):
    timestamp: datetime | None = None


class _Line(msgspec.Struct):
    envelope: _Head
    payload: _Payload


_DECODER: Final = msgspec.json.Decoder(_Line)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files named, and those of the folders named, by name. Raises when there is none."""
    found = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    files = [file for file in found if file.is_file()]
    if not files:
        raise DataProcessingError(f"no file in {', '.join(map(str, paths))}", "cli")
    return files


def messages_of(file: Path, market: str | None, product: str | None, tenant: str) -> Iterator[Message]:
    """The raw messages of one file; the lines of NDJSON go as they are, whatever they hold."""
    if _is_lines(file):
        yield from _lines(file)
        return
    content = file.read_bytes()
    made = envelopes.document(content, file.name, clock.now(), tenant, SOURCE, market, product)
    yield Message(made, file.name.encode(), len(content))


def _is_lines(file: Path) -> bool:
    if file.suffix.lower() in _LINES:
        return True
    with file.open("rb") as opened:
        line = opened.readline(_HEAD)
    return _read(line) is not None


def _lines(file: Path) -> Iterator[Message]:
    with file.open("rb") as opened:
        for raw in opened:
            line = raw.rstrip(b"\r\n")
            if line:
                yield _message(line, len(raw))


def _message(line: bytes, size: int) -> Message:
    read = _read(line)
    if read is None:
        return Message(line, None, size)
    name, at = read.payload.instrument_id, read.envelope.timestamp
    seconds = None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return Message(line, name.encode() if name else None, size, seconds)


def _read(line: bytes) -> _Line | None:
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
