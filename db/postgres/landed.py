"""How far everything has landed in each partition, without a hole: what the ledger says of what is known."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

# A partition's ranges that join, from where the last look ended (at first: from its first range). The ends of an index
# lead from one partition to the next, for the ledger may hold millions of ranges.
_REACHES: Final = text("""
WITH RECURSIVE places AS (
    (SELECT topic_id, partition FROM ledger ORDER BY topic_id, partition LIMIT 1)
    UNION ALL
    SELECT following.topic_id, following.partition FROM places CROSS JOIN LATERAL (
        SELECT topic_id, partition FROM ledger
        WHERE (ledger.topic_id, ledger.partition) > (places.topic_id, places.partition)
        ORDER BY topic_id, partition LIMIT 1) AS following
),
seen AS (
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:partitions AS int[]), CAST(:ends AS bigint[]))
        AS t (topic_id, partition, reached)
)
SELECT first.topic, places.topic_id, places.partition, landed.reached, landed.known_at_us
FROM places
LEFT JOIN seen USING (topic_id, partition)
CROSS JOIN LATERAL (
    SELECT topic, first_offset FROM ledger
    WHERE ledger.topic_id = places.topic_id AND ledger.partition = places.partition
    ORDER BY first_offset, next_offset LIMIT 1) AS first
CROSS JOIN LATERAL (
    SELECT max(next_offset) AS reached, max(known_at_us) AS known_at_us FROM (
        SELECT next_offset, known_at_us,
            bool_or(first_offset > reach) OVER (ORDER BY first_offset, next_offset) AS is_beyond
        FROM (
            SELECT first_offset, next_offset, known_at_us,
                greatest(coalesce(seen.reached, first.first_offset), max(next_offset) OVER (
                    ORDER BY first_offset, next_offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS reach
            FROM ledger
            WHERE ledger.topic_id = places.topic_id AND ledger.partition = places.partition
                AND next_offset > coalesce(seen.reached, first.first_offset)) AS ranges) AS joined
    WHERE NOT is_beyond) AS landed
""")


class Place(NamedTuple):
    """A partition of a topic; one that was made again under its name has another id."""

    topic: str
    topic_id: str
    partition: int


class Reach(NamedTuple):
    """The offset up to which all has landed, and the latest append time (µs) of that."""

    offset: int
    known_at_us: int


async def reaches(engine: AsyncEngine, since: Mapping[Place, Reach]) -> dict[Place, Reach]:
    """How far each partition of the ledger reaches, given what was found before.

    What a partition's first range does not hold counts as never there: the topic may have lost it before it was read.
    """
    given = {
        "ids": [place.topic_id for place in since],
        "partitions": [place.partition for place in since],
        "ends": [reach.offset for reach in since.values()],
    }
    async with engine.connect() as connection:
        rows = (await connection.execute(_REACHES, given)).all()
    found = dict(since)
    for topic, topic_id, partition, offset, known_at_us in rows:
        place = Place(topic, topic_id, partition)
        if offset is not None:
            before = found.get(place, Reach(0, 0))
            found[place] = Reach(offset, max(known_at_us, before.known_at_us))
    return found
