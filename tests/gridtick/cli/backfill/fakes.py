"""A topic in memory that crashes on demand, and jobs to send to it."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zlib import crc32

from db.kafka.producer import Headers
from gridtick.cli.backfill.asked import Asked, File, Options
from gridtick.cli.backfill.journal import Journal, Placed, joined, number_of
from gridtick.cli.raw import Message

OPTIONS = Options(None, None, None, "public")
PARTITIONS = 3


class Crash(Exception):
    """The process is killed here."""


def journal_of(total: int, **other: object) -> Journal:
    """A job of one file in which nothing was sent."""
    spans = dict.fromkeys(range(PARTITIONS), (0, 0))
    asked = Asked((File("/a.ndjson", 1, 1),), OPTIONS, "topic-1")
    given = {
        "asked": asked,
        "topic": "t",
        "counts": (total,),
        "began": datetime(2025, 1, 1, tzinfo=UTC),
        "spans": spans,
    }
    return Journal(**{**given, **other})  # pyright: ignore[reportArgumentType]


def messages(total: int, after: int = 0) -> Iterator[tuple[int, Message]]:
    """The messages behind a number; each has its own value and one of few keys."""
    for number in range(after + 1, total + 1):
        yield number, Message(b"%d" % number, b"key-%d" % (number % 7), 1)


class FakeTopic:
    """As `ConfirmedProducer` and `LaneTopic` are. In each partition messages arrive in order, some early, some late.

    The process dies at the call number `dies_at` of this life, with some of what waits on its way.
    """

    def __init__(self, rng: random.Random) -> None:
        self.logs: dict[int, list[tuple[dict[str, bytes | None], bytes]]] = {n: [] for n in range(PARTITIONS)}
        self._rng = rng
        self.live()

    def live(self, dies_at: int = -1) -> None:
        """Another process begins."""
        self._waiting: dict[int, list[tuple[dict[str, bytes | None], bytes]]] = {n: [] for n in range(PARTITIONS)}
        self._spans: dict[int, tuple[int, int]] = {}
        self._left = dies_at

    def send(self, topic: str, value: bytes | None, key: bytes | None = None, headers: Headers = ()) -> None:
        self._waiting[crc32(key or b"") % PARTITIONS].append((dict(headers), value or b""))
        self._arrive(everything=False)
        self.step()

    def flush(self) -> dict[int, tuple[int, int]]:
        self.step()
        self._arrive(everything=True)
        self.step()
        return self._spans

    def step(self) -> None:
        """Something that a crash may come before."""
        self._left -= 1
        if self._left == 0:
            self._arrive(everything=False)
            raise Crash

    def left_by(self, journal: Journal) -> Iterator[Placed]:
        for partition, log in self.logs.items():
            for offset, (headers, _) in enumerate(log):
                number = number_of(headers, journal.run)
                if offset >= journal.spans[partition][1] and number is not None:
                    yield Placed(partition, offset, number)

    def ends(self) -> dict[int, int]:
        return {partition: len(log) for partition, log in self.logs.items()}

    def values(self) -> list[Sequence[bytes]]:
        """What each partition holds, in order."""
        return [[value for _, value in log] for log in self.logs.values()]

    def _arrive(self, *, everything: bool) -> None:
        for partition, waiting in self._waiting.items():
            count = len(waiting) if everything else self._rng.randint(0, len(waiting))
            for each in waiting[:count]:
                offset = len(self.logs[partition])
                self.logs[partition].append(each)
                self._spans = joined(self._spans, {partition: (offset, offset + 1)})
            del waiting[:count]
