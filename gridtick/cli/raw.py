"""Files as raw messages: one document a file, or one envelope a line."""

import codecs
import re
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from db.kafka import envelopes
from pipeline.errors import DataProcessingError
from service import clock

_LINES: Final = (".ndjson", ".jsonl")
_HEAD: Final = 64 * 1024
_SHOWN: Final = 64
_BEGINNING: Final = re.compile(rb'\s*\{\s*"(?:envelope|payload)"\s*:')
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
    tenant_id: str | None = None


class _Line(msgspec.Struct):
    envelope: _Head
    payload: _Payload


_DECODER: Final = msgspec.json.Decoder(_Line)
_PARTS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files named, and those of the folders named, by name. Raises when there is none."""
    found = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    files = [file for file in found if file.is_file()]
    if not files:
        raise DataProcessingError(f"no file in {', '.join(map(str, paths))}", "cli")
    return files


def check(file: Path, market: str | None, product: str | None, tenant: str | None) -> None:
    """Raises `DataProcessingError` where the options contradict the file: nothing should be sent of it then.

    Lines name their market and product themselves. A tenant is given to the lines that name none; one that names
    another is refused, and so is a line that cannot bear it.
    """
    if not is_lines(file):
        _name_of(file)
        return
    if market is not None or product is not None:
        raise DataProcessingError(
            f"{file} holds envelopes, which name market and product themselves: leave --market and --product away",
            "cli",
        )
    if tenant is not None:
        deque(_lines(file, tenant), maxlen=0)


def count_of(file: Path, most_bytes: int) -> int:
    """How many messages the file gives. Raises `DataProcessingError` for a line that is larger than Kafka takes."""
    if not is_lines(file):
        return 1
    count = 0
    for number, _, line in _filled(file):
        refuse_too_large(f"{file}:{number}", len(line), most_bytes)
        count += 1
    return count


def messages_of(
    file: Path, market: str | None, product: str | None, tenant: str | None, default_tenant: str,
    at: datetime | None = None, skip: int = 0,
) -> Iterator[Message]:  # fmt: skip
    """The raw messages of one file but for the first `skip`; a document is sent at `at`, or now.

    The lines of NDJSON go as they are, whatever they hold; but `tenant`, where it is given, is set in those that name
    none. Raises `DataProcessingError` as `check` does.
    """
    if is_lines(file):
        yield from _lines(file, tenant, skip)
    elif not skip:
        name, content = _name_of(file), file.read_bytes()
        made = envelopes.document(content, name, at or clock.now(), tenant or default_tenant, SOURCE, market, product)
        yield Message(made, name.encode(), len(content))


def refuse_too_large(where: object, size: int, most_bytes: int) -> None:
    """Raises `DataProcessingError` for a message that Kafka would not take."""
    if size > most_bytes:
        raise DataProcessingError(
            f"{where} gives a message of {size} bytes, at most {most_bytes} are taken. "
            "Split it, or raise DATA_PROC_KAFKA_MESSAGE_MAX_BYTES everywhere.",
            "cli",
        )


def _name_of(file: Path) -> str:
    try:
        file.name.encode()
    except UnicodeEncodeError:
        raise DataProcessingError(f"the name of {str(file)!a} is no UTF-8: rename the file", "cli") from None
    return file.name


def is_lines(file: Path) -> bool:
    """Whether it holds envelopes: by its name, or by its first line that is not blank; of a long one the beginning
    tells."""
    if file.suffix.lower() in _LINES:
        return True
    with file.open("rb") as opened:
        line = opened.readline(_HEAD).removeprefix(codecs.BOM_UTF8)
        while line and not line.strip():
            line = opened.readline(_HEAD)
    whole = line.endswith(b"\n") or len(line) < _HEAD
    return _read(line) is not None if whole else _BEGINNING.match(line) is not None


def _lines(file: Path, tenant: str | None, skip: int = 0) -> Iterator[Message]:
    for number, size, line in islice(_filled(file), skip, None):
        yield _message(line, size, tenant, f"{file}:{number}")


def _filled(file: Path) -> Iterator[tuple[int, int, bytes]]:
    """The lines that are not blank: number, size in the file, and what is sent of it."""
    with file.open("rb") as opened:
        for number, raw in enumerate(opened, 1):
            line = (raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw).rstrip(b"\r\n")
            if line.strip():
                yield number, len(raw), line


def _message(line: bytes, size: int, tenant: str | None, where: str) -> Message:
    read = _read(line)
    if tenant is not None:
        line = _owned(line, read, tenant, where)
    if read is None:
        return Message(line, None, size)
    name, at = read.payload.instrument_id, read.envelope.timestamp
    seconds = None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return Message(line, name.encode() if name else None, size, seconds)


def _owned(line: bytes, read: _Line | None, tenant: str, where: str) -> bytes:
    """The line with `tenant`; all other text of it stays as it is."""
    if read is None:
        raise DataProcessingError(f"{where} is no envelope that --tenant {tenant} could be set in: mend it", "cli")
    if read.envelope.tenant_id == tenant:
        return line
    if read.envelope.tenant_id is not None:
        named = read.envelope.tenant_id[:_SHOWN]
        raise DataProcessingError(f"{where} belongs to tenant {named!r}, not to {tenant}: leave --tenant away", "cli")
    parts = _PARTS.decode(line)
    head = _PARTS.decode(parts["envelope"])
    head["tenant_id"] = msgspec.Raw(msgspec.json.encode(tenant))
    return msgspec.json.encode({**parts, "envelope": head})


def _read(line: bytes) -> _Line | None:
    try:
        return _DECODER.decode(line)
    except _UNREADABLE:
        return None
