"""Stops the bridge before it drains a topic into the dead letters. Pure."""

from collections import deque
from dataclasses import dataclass

from workers.header import Runs

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


class Breaker:
    """Trips at more than 5 % refused of the last 10,000 messages (once 2,000 were seen) or 100 in a row."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, int]] = deque()
        self._seen = 0
        self._invalid = 0
        self._row: dict[int, int] = {}

    def add(self, landed: Landed) -> str | None:
        """Takes a landed batch; the sentence that says why to stop, or nothing."""
        self._remember(landed)
        longest = self._longest_row(landed)
        if longest >= MOST_IN_A_ROW:
            return _sentence(f"{longest} messages in a row of partition {landed.partition} could not be read")
        if self._seen >= ENOUGH and self._invalid > MOST_SHARE * self._seen:
            share = 100 * self._invalid / self._seen
            return _sentence(f"{share:.1f} % of the last {self._seen} messages could not be read")
        return None

    def _remember(self, landed: Landed) -> None:
        self._recent.append((landed.messages, landed.invalid))
        self._seen += landed.messages
        self._invalid += landed.invalid
        while self._recent and self._seen - self._recent[0][0] >= RECENT:
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


def _sentence(cause: str) -> str:
    return (
        f"The bridge stopped: {cause}. Look at the newest dead letters, mend the producer or the parser, "
        "then start again; DATA_PROC_BRIDGE_BREAKER=off lets it go on regardless."
    )
