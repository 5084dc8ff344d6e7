"""What a channel has of history: how things were, what became known after, and how they are where it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

import polars as pl

from api.live.row import KIND_OF, Channel, Key, Row
from api.live.steps import Step
from db.clickhouse.replay import KEYS_AT_ONCE
from db.redis.live import Head

# What was derived from prices (spreads) becomes known when they do, and lands after them; nor is all that has landed
# told at the same time. Where the present is joined, what became known so shortly before is looked at again.
LATE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Present:
    """How things are: rows that were not sent yet. All that changes beyond the number comes after them; what comes and
    is in them already is told by `floors` and `sent` (`api.live.overlap.Overlap`)."""

    epoch: str
    seq: int
    position: str
    rows: Sequence[Row]
    floors: Mapping[Key, int] = field(default_factory=dict[Key, int])
    sent: Mapping[bytes, int] = field(default_factory=dict[bytes, int])


class End(NamedTuple):
    """Where history ends: all up to the last step, at `after`, was given; the log ended at `head` before more is read;
    up to `past` prices have arrived."""

    after: datetime
    head: Head
    past: datetime


class History(Protocol):
    """Of one subscription. It knows what it has given so far."""

    async def begin(self, at: datetime) -> Sequence[Row]:
        """How things were at an instant."""
        ...

    async def step(self, step: Step) -> Sequence[Row]:
        """What has changed, in the order in which it became known."""
        ...

    async def present(self, end: End) -> Present | None:
        """What has changed since the last step, until now. None while it cannot be told."""
        ...


def at_head(head: Head, channel: Channel) -> tuple[str, int, str]:
    """Epoch, number and position."""
    return head.counters.epoch, head.counters.last.get(KIND_OF[channel], 0), head.position


def names_of(instruments: pl.DataFrame) -> list[tuple[list[str], list[str]]]:
    """Tenants and names, as many names at a time as fit a statement."""
    names, tenants = instruments["instrument"].unique().sort(), instruments["tenant"].unique().sort().to_list()
    return [(tenants, some.to_list()) for some in (names[at : at + KEYS_AT_ONCE] for at in _begins(names.len()))]


def _begins(count: int) -> range:
    return range(0, count, KEYS_AT_ONCE)
