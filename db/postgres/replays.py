"""Which attempts of dead letters were sent again, and which message of each attempt is the one that is read.

An attempt may be sent any number of times (typed twice, or again after a crash): the first of its messages that a
worker meets takes it, for ever; the others are repeats that hold nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.tables import replays

Attempt: TypeAlias = tuple[str, int]  # position of the first message, attempt


class Place(NamedTuple):
    """A message: Kafka's id of its topic, partition, offset."""

    topic_id: str
    partition: int
    offset: int


class Sent(NamedTuple):
    """An attempt that was asked for. `read`: a worker has met one of its messages; `landed`: that one has landed."""

    attempt: int
    read: bool
    landed: bool


# Rows are locked in the order of their keys: two that want the same ones do not wait for each other in a circle.
_ASK: Final = text("""
INSERT INTO replays (origin, attempt)
SELECT * FROM unnest(CAST(:origins AS text[]), CAST(:attempts AS int[])) AS asked (origin, attempt) ORDER BY 1, 2
ON CONFLICT DO NOTHING
""")
_TAKE: Final = text("""
INSERT INTO replays AS had (origin, attempt, read_topic_id, read_partition, read_offset)
SELECT * FROM unnest(CAST(:origins AS text[]), CAST(:attempts AS int[]), CAST(:topic_ids AS text[]),
    CAST(:partitions AS int[]), CAST(:offsets AS bigint[])) AS met (origin, attempt, topic_id, place, at) ORDER BY 1, 2
ON CONFLICT (origin, attempt) DO UPDATE SET
    read_topic_id = coalesce(had.read_topic_id, excluded.read_topic_id),
    read_partition = coalesce(had.read_partition, excluded.read_partition),
    read_offset = coalesce(had.read_offset, excluded.read_offset)
RETURNING read_topic_id, read_partition, read_offset
""")
# The range that holds a message is found from the message down: the ledger is long.
_NEWEST: Final = text("""
SELECT DISTINCT ON (origin) origin, attempt, read_offset IS NOT NULL, coalesce((
    SELECT true FROM ledger WHERE topic_id = read_topic_id AND partition = read_partition
        AND first_offset <= read_offset AND next_offset > read_offset ORDER BY first_offset DESC LIMIT 1), false)
FROM replays WHERE CAST(:origins AS text[]) IS NULL OR origin = ANY(CAST(:origins AS text[]))
ORDER BY origin, attempt DESC
""")


async def ask(engine: AsyncEngine, attempts: Collection[Attempt]) -> None:
    """Notes that these attempts are about to be sent; one that is known stays as it is."""
    given = {"origins": [each[0] for each in attempts], "attempts": [each[1] for each in attempts]}
    async with engine.begin() as connection:
        await connection.execute(_ASK, given)


async def take(engine: AsyncEngine, wanted: Mapping[Place, Attempt]) -> set[Place]:
    """Those messages that are the one of their attempt: it was free and is theirs now, or it was theirs before.

    Of several of one attempt the first place takes it.
    """
    first = {attempt: place for place, attempt in sorted(wanted.items(), reverse=True)}
    given = {
        "origins": [origin for origin, _ in first],
        "attempts": [attempt for _, attempt in first],
        "topic_ids": [each.topic_id for each in first.values()],
        "partitions": [each.partition for each in first.values()],
        "offsets": [each.offset for each in first.values()],
    }
    async with engine.begin() as connection:
        rows = (await connection.execute(_TAKE, given)).all()
    return {Place(*row) for row in rows} & wanted.keys()


async def newest(engine: AsyncEngine, origins: Sequence[str] | None = None) -> dict[str, Sent]:
    """By origin (all of them, or these) the newest attempt that was asked for, and how far it has come."""
    async with engine.connect() as connection:
        rows = (await connection.execute(_NEWEST, {"origins": origins})).all()
    return {row[0]: Sent(*row[1:]) for row in rows}


async def readers(engine: AsyncEngine) -> dict[Attempt, Place]:
    """Of each attempt that a worker has met the message that is read."""
    columns = (replays.c.origin, replays.c.attempt, replays.c.read_topic_id, replays.c.read_partition)
    statement = select(*columns, replays.c.read_offset).where(replays.c.read_offset.is_not(None))
    async with engine.connect() as connection:
        rows = (await connection.execute(statement)).all()
    return {(origin, attempt): Place(*place) for origin, attempt, *place in rows}
