"""The ledger: which offset ranges have landed, append-only. It decides what the bridge may commit."""

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from datetime import datetime
from typing import NamedTuple, Self

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.tables import ledger


@dataclass(frozen=True, slots=True)
class LandedRange:
    """One landed batch: the offsets [first_offset, next_offset) and what came of them."""

    topic: str
    topic_id: str
    partition: int
    first_offset: int
    next_offset: int
    messages: int
    ticks: int
    rejects: int
    dead_letters: int
    known_at_us: int
    batch_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of some landed ranges together."""

    messages: int = 0
    ticks: int = 0
    rejects: int = 0
    dead_letters: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(sum, zip(astuple(self), astuple(other), strict=True)))


async def append_ledger(engine: AsyncEngine, ranges: Sequence[LandedRange]) -> int:
    """Adds ranges in one transaction; one that is there already stays as it is. Gives the number added."""
    if not ranges:
        return 0
    rows = [asdict(each) for each in ranges]
    statement = insert(ledger).values(rows).on_conflict_do_nothing().returning(ledger.c.first_offset)
    async with engine.begin() as connection:
        return len((await connection.execute(statement)).all())


class DeadLetters(NamedTuple):
    """How many there are, and how many came since an instant."""

    total: int
    lately: int


async def dead_letters(engine: AsyncEngine, since: datetime) -> DeadLetters:
    """Those that landed ranges have brought."""
    total, count = func.sum(ledger.c.dead_letters), ledger.c.dead_letters
    lately = total.filter(ledger.c.landed_at >= since)
    statement = select(func.coalesce(total, 0), func.coalesce(lately, 0)).where(count > 0)
    async with engine.connect() as connection:
        return DeadLetters(*map(int, (await connection.execute(statement)).one()))


# `reach` is how far the ranges before a row go: the first row that starts beyond it leaves a hole.
_CONTIGUOUS_END = text("""
WITH ranges AS (
    SELECT first_offset, next_offset, greatest(:start, max(next_offset) OVER (
        ORDER BY first_offset, next_offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS reach
    FROM ledger WHERE topic_id = :topic_id AND partition = :partition AND next_offset > :start
)
SELECT coalesce(
    (SELECT reach FROM ranges WHERE first_offset > reach ORDER BY first_offset LIMIT 1),
    (SELECT max(next_offset) FROM ranges),
    :start)
""")


async def contiguous_end(engine: AsyncEngine, topic_id: str, partition: int, start: int) -> int:
    """The offset up to which [start, …) has landed without a hole; `start` where nothing has."""
    given = {"topic_id": topic_id, "partition": partition, "start": start}
    async with engine.connect() as connection:
        return int((await connection.execute(_CONTIGUOUS_END, given)).scalar_one())


async def outcome(engine: AsyncEngine, topic_id: str, partition: int, first: int, end: int) -> Outcome:
    """What came of the landed ranges that hold offsets of [first, end); they may hold others too."""
    sums = (func.coalesce(func.sum(ledger.c[field.name]), 0) for field in fields(Outcome))
    statement = select(*sums).where(
        ledger.c.topic_id == topic_id, ledger.c.partition == partition,
        ledger.c.first_offset < end, ledger.c.next_offset > first,
    )  # fmt: skip
    async with engine.connect() as connection:
        return Outcome(*map(int, (await connection.execute(statement)).one()))


async def known_at_floor(engine: AsyncEngine, topic_id: str, partition: int, before: int) -> int:
    """The running maximum of append times (µs) over what landed below the offset `before`; 0: nothing did.

    Ranges beyond it do not count: a message sent again must be known at the same instant as the first time.
    """
    statement = select(func.coalesce(func.max(ledger.c.known_at_us), 0)).where(
        ledger.c.topic_id == topic_id, ledger.c.partition == partition, ledger.c.next_offset <= before
    )
    async with engine.connect() as connection:
        return int((await connection.execute(statement)).scalar_one())


async def watermark(engine: AsyncEngine) -> int:
    """The latest append time (µs) of all that has landed; 0 where nothing has."""
    async with engine.connect() as connection:
        return int((await connection.execute(select(func.coalesce(func.max(ledger.c.known_at_us), 0)))).scalar_one())
