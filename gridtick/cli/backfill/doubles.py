"""What another backfill has sent already, or begun to."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from gridtick.cli.backfill.asked import Asked
from gridtick.cli.backfill.journal import Journal
from gridtick.cli.raw import is_lines
from pipeline.errors import DataProcessingError


def refuse_doubles(asked: Asked, files: Sequence[Path], others: Iterable[Journal], say: Callable[[str], None]) -> None:
    """Raises `DataProcessingError` where another job has sent lines of a file; says so where it has sent a document.

    A document's prices have their identity from the exchange: sent twice, they are stored once. A tick without an
    event id is told from others by its position on the topic.
    """
    for other in others:
        for file, what in _shared(asked, files, other):
            sent = f"{file} {what} backfill {other.asked.job} ({other.so_far} sent)"
            if is_lines(file):
                raise DataProcessingError(
                    f"{sent}: this is another backfill, and ticks without an event id would be stored twice. Name "
                    "only what is new, or say --again to send all of it.",
                    "cli",
                )
            say(f"{sent}: it is sent again as a part of this one")


def _shared(asked: Asked, files: Sequence[Path], other: Journal) -> Iterator[tuple[Path, str]]:
    """The files that the other job has sent, or begun to, for the same data."""
    same = (other.asked.options, other.asked.topic_id) == (asked.options, asked.topic_id)
    if not same or other.untouched:
        return
    before = {each.path: each for each in other.asked.files}
    for file, now in zip(files, asked.files, strict=True):
        if now.path in before:
            yield file, "was a part of" if before[now.path] == now else "has been changed since"
