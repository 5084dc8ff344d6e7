"""What the proof works on: publications and bars as plain tuples of integers and text.

Prices and volumes are integers of 10^-9, instants are microseconds since 1970 in UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Publication(NamedTuple):
    """One value for an identity, from one row of one message."""

    ts: int
    source_rank: int
    event_id: str
    version: int
    known_at: int
    topic_id: str
    partition: int
    offset: int
    row: int
    start: int
    hold_end: int | None
    price: int
    volume: int | None
    parts: tuple[int | None, ...]  # energy, congestion, loss, ghg, bid, ask
    flags: int

    @property
    def identity(self) -> tuple[int, int, str]:
        return self.ts, self.source_rank, self.event_id

    @property
    def known_order(self) -> tuple[int, str, int, int, int]:
        return self.known_at, self.topic_id, self.partition, self.offset, self.row


class Bar(NamedTuple):
    """Every field of a stored bar that the definitions fix."""

    interval: str
    start: int
    end: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None
    vwap: int | None
    twap: int | None
    covered_us: int
    ticks: int  # the served field `count`
    flags: int
    revision: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be."""

    invariant: str
    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.where}: expected {self.expected}, found {self.found}"


def only_first(differences: Iterable[Difference], limit: int) -> list[Difference]:
    """At most `limit` differences of each invariant, so that one cause does not bury the others."""
    seen: dict[str, int] = {}
    kept: list[Difference] = []
    for difference in differences:
        seen[difference.invariant] = seen.get(difference.invariant, 0) + 1
        if seen[difference.invariant] <= limit:
            kept.append(difference)
    return kept
