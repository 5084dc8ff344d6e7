"""What a backfill was asked for: the same command, typed again, finds what it has done so far."""

import os
from hashlib import sha256
from pathlib import Path

import msgspec

from pipeline.errors import DataProcessingError


class File(msgspec.Struct, frozen=True):
    """A file as it was when the command was typed."""

    path: str
    size: int
    changed_ns: int


class Options(msgspec.Struct, frozen=True):
    """What makes other messages of the same files."""

    market: str | None
    product: str | None
    tenant: str | None
    default_tenant: str


class Asked(msgspec.Struct, frozen=True):
    """The files in their order, and what is made of them for which topic (by Kafka's id)."""

    files: tuple[File, ...]
    options: Options
    topic_id: str

    @property
    def job(self) -> str:
        """The job's id: another one as soon as a file, an option or the topic is another."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:16]


def seen(path: Path) -> File:
    """The file as it is now."""
    facts, name = path.stat(), os.fsencode(path.resolve())
    return File(name.decode(errors="backslashreplace"), facts.st_size, facts.st_mtime_ns)


def refuse_changed(path: Path, before: File) -> None:
    """Raises `DataProcessingError` where the file is no longer what it was when its messages were counted."""
    if seen(path) != before:
        raise DataProcessingError(
            f"{path} has been changed while it was sent. Leave files alone that are being sent: what they hold now "
            "is another backfill.",
            "cli",
        )
