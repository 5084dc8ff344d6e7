"""The journal of a backfill: how far it has come, and where on the topic its messages lie."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from gridtick.cli.backfill.asked import Asked

HEADER: Final = "gridtick.job"  # of each message: the run's name and the message's number in it

Spans: TypeAlias = Mapping[int, tuple[int, int]]  # partition -> offsets [first, next)
State: TypeAlias = Literal["sending", "stopped", "sent"]


class Placed(msgspec.Struct, frozen=True):
    """A message of the job that was found on the topic."""

    partition: int
    offset: int
    number: int


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of a job are numbered from 1 over all its files.

    `confirmed`: all up to this number are on the topic. `ahead`: greater numbers that are there too. `spans`: where
    they lie; a message of the job that the journal does not know is not before the end of its partition's span.
    `state`: `sending` where a run has not come to an orderly end, so that there may be such messages.
    """

    asked: Asked
    topic: str
    counts: tuple[int, ...]  # messages of each file
    began: datetime
    spans: dict[int, tuple[int, int]]
    again: int = 0
    state: State = "stopped"
    confirmed: int = 0
    ahead: tuple[int, ...] = ()

    @property
    def total(self) -> int:
        """How many messages the job has."""
        return sum(self.counts)

    @property
    def so_far(self) -> str:
        """How much of it is known to be on the topic, in words."""
        return f"{self.confirmed + len(self.ahead):,} of {self.total:,} messages"

    @property
    def untouched(self) -> bool:
        """Whether no message of it can be on the topic."""
        return self.state == "stopped" and not self.confirmed

    @property
    def run(self) -> str:
        """The name of the run in the header: the job's, and how often it was sent before."""
        return f"{self.asked.job}.{self.again}" if self.again else self.asked.job

    def header(self, number: int) -> tuple[str, bytes]:
        """What tells this message from all others, also after a crash."""
        return HEADER, f"{self.run}/{number}".encode()


def number_of(headers: Mapping[str, bytes | str | None], run: str) -> int | None:
    """The number that a message of this run bears; nothing where it is of another."""
    value = headers.get(HEADER)
    whose, _, number = value.decode(errors="replace").rpartition("/") if isinstance(value, bytes) else ("", "", "")
    return int(number) if whose == run and number.isdecimal() else None


def confirmed(journal: Journal, upto: int, where: Spans, state: State = "sending") -> Journal:
    """Once everything up to a number is on the topic, in `where` and in the spans that are known."""
    ahead = tuple(number for number in journal.ahead if number > upto)
    return msgspec.structs.replace(
        journal, confirmed=upto, ahead=ahead, spans=joined(journal.spans, where), state=state
    )


def found(journal: Journal, placed: Iterable[Placed]) -> Journal:
    """With what a run that was killed has left on the topic after its last word in the journal."""
    beyond = [each for each in placed if each.number > journal.confirmed]
    spans = journal.spans
    for each in beyond:
        spans = joined(spans, {each.partition: (each.offset, each.offset + 1)})
    numbers, upto = {*journal.ahead, *(each.number for each in beyond)}, journal.confirmed
    while upto + 1 in numbers:
        upto += 1
    return confirmed(msgspec.structs.replace(journal, ahead=tuple(sorted(numbers))), upto, spans)


def joined(spans: Spans, others: Spans) -> dict[int, tuple[int, int]]:
    """Both together; an empty span only says where its partition ended before the first message."""
    both = dict(spans)
    for partition, (first, end) in others.items():
        known = both.get(partition, (first, first))
        begin = first if known[0] == known[1] else min(known[0], first)
        both[partition] = (begin, max(known[1], end))
    return both
