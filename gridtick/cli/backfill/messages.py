"""The messages of a job by their numbers, from any number on."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from gridtick.cli import raw
from gridtick.cli.backfill.asked import refuse_changed
from gridtick.cli.backfill.journal import Journal


def unsent(journal: Journal, files: Sequence[Path], most_bytes: int) -> Iterator[tuple[int, raw.Message]]:
    """The messages behind the confirmed ones, with their numbers; the same ones at any time.

    Raises `DataProcessingError` for a file that is no longer what it was, and for a message too large to be sent.
    """
    before = 0  # messages of the files before this one
    for file, seen, count in zip(files, journal.asked.files, journal.counts, strict=True):
        skip = min(max(journal.confirmed - before, 0), count)
        if skip < count:
            refuse_changed(file, seen)
            messages = islice(_read(journal, file, skip), count - skip)
            for number, message in enumerate(messages, before + skip + 1):
                raw.refuse_too_large(file, len(message.value), most_bytes)
                yield number, message
            refuse_changed(file, seen)
        before += count


def _read(journal: Journal, file: Path, skip: int) -> Iterator[raw.Message]:
    chosen = journal.asked.options
    return raw.messages_of(
        file, chosen.market, chosen.product, chosen.tenant, chosen.default_tenant, journal.began, skip
    )
