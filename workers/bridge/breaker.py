"""Stops the bridge before it drains a topic into the dead letters. Pure."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from workers.header import PART, Runs

RECENT = 10_000
ENOUGH = 2_000
MOST_SHARE = 0.05
MOST_IN_A_ROW = 100


@dataclass(frozen=True, slots=True)
class Landed:
    """What one landed batch was: its messages, how many of them were refused whole, and their runs."""

    partition: int
    messages: int
    invalid: int
    runs: Runs

    def parts(self) -> Iterator[tuple[int, int]]:
        """(messages, refused) of its parts in order; all as one where it does not say where they are."""
        if sum(self.runs.parts) != self.invalid:
            yield self.messages, self.invalid
            return
        for index, first in enumerate(range(0, self.messages, PART)):
            yield min(PART, self.messages - first), self.runs.parts[index] if self.invalid else 0


class Breaker:
    """Trips at more than 5 % refused of the last 10,000 messages (once 2,000 were seen) or 100 in a row.

    A row is of one partition. Messages count in the order in which they land, `PART` at a time: of the last 10,000 to
    10,500 that is.
    """

    def __init__(self) -> None:
        self._recent: deque[tuple[int, int]] = deque()
        self._seen = 0
        self._invalid = 0
        self._row: dict[int, int] = {}

    def add(self, landed: Landed) -> str | None:
        """Takes a landed batch; the reason to stop, or nothing."""
        longest = self._longest_row(landed)
        shares = [self._share(*part) for part in landed.parts()]
        if longest >= MOST_IN_A_ROW:
            return f"{longest} messages in a row of partition {landed.partition} could not be read"
        return next(filter(None, shares), None)

    def _share(self, messages: int, invalid: int) -> str | None:
        self._remember(messages, invalid)
        if self._seen < ENOUGH or self._invalid <= MOST_SHARE * self._seen:
            return None
        return f"{100 * self._invalid / self._seen:.1f} % of the last {self._seen} messages could not be read"

    def _remember(self, messages: int, invalid: int) -> None:
        self._recent.append((messages, invalid))
        self._seen += messages
        self._invalid += invalid
        while self._seen - self._recent[0][0] >= RECENT:
            messages, invalid = self._recent.popleft()
            self._seen -= messages
            self._invalid -= invalid

    def _longest_row(self, landed: Landed) -> int:
        before = self._row.get(landed.partition, 0)
        if landed.invalid == landed.messages:
            self._row[landed.partition] = before + landed.messages
            return before + landed.messages
        self._row[landed.partition] = landed.runs.trail
        return max(before + landed.runs.lead, landed.runs.longest)


def sentences(reason: str, lane: str) -> str:
    """Why a lane is stopped, and the way on."""
    return (
        f"The bridge of the lane {lane} is stopped: {reason}. `gridtick dlq ls` tells which and why; mend the producer "
        f"or the parser, then `gridtick bridge resume --lane {lane}` lets it go on, and `gridtick dlq replay` sends "
        "again what was refused."
    )
