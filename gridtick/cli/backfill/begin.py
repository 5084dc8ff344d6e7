"""The journal that a run starts from: a new one, or that of the run before it; and what is said of it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from rich.console import Console

from gridtick.cli.backfill.asked import Asked
from gridtick.cli.backfill.book import Book
from gridtick.cli.backfill.doubles import refuse_doubles
from gridtick.cli.backfill.journal import Journal, Placed, found
from gridtick.cli.raw import count_of
from service import clock
from service.settings import Kafka


class Lane(Protocol):
    """As `LaneTopic` is."""

    def ends(self) -> Mapping[int, int]: ...
    def left_by(self, journal: Journal) -> Iterable[Placed]: ...


class Beginning:
    """Where a job begins or goes on. `again`: a job that was sent, and files of other jobs, are sent once more."""

    def __init__(self, book: Book, lane: Lane, kafka: Kafka, *, again: bool) -> None:
        self._book, self._lane, self._kafka, self._again = book, lane, kafka, again

    def journal(self, asked: Asked, files: Sequence[Path]) -> Journal:
        """What has been sent of the job. Raises `DataProcessingError` where sending would store ticks twice."""
        journal = self._book.read(asked.job)
        if journal is None:
            return self._new(asked, files)
        if journal.state != "sent":
            return self._resumed(journal)
        if self._again:
            return self._empty(asked, journal.counts, journal.again + 1)
        say(journal, f"all {journal.total:,} messages have been sent before; --again sends them once more")
        return journal

    def _new(self, asked: Asked, files: Sequence[Path]) -> Journal:
        if not self._again:
            refuse_doubles(asked, files, self._book.others(asked.job), print)
        with _working("counting messages"):
            counts = [count_of(file, self._kafka.message_max_bytes) for file in files]
        return self._empty(asked, counts)

    def _empty(self, asked: Asked, counts: Sequence[int], again: int = 0) -> Journal:
        spans = {partition: (end, end) for partition, end in self._lane.ends().items()}
        topic, now = self._kafka.topic_of("backfill"), clock.now()
        return Journal(asked=asked, topic=topic, counts=tuple(counts), began=now, spans=spans, again=again)

    def _resumed(self, journal: Journal) -> Journal:
        if journal.state == "sending":
            with _working("looking for what is on the topic already"):
                journal = found(journal, self._lane.left_by(journal))
        say(journal, f"going on after {journal.so_far}")
        return journal


def say(journal: Journal, what: str) -> None:
    """A word on a job, at once."""
    print(f"backfill {journal.asked.job}: {what}", flush=True)


def _working(what: str) -> AbstractContextManager[object]:
    return Console(stderr=True).status(what)
