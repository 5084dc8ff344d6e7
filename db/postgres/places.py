"""What the ledger says of single messages: the name of their topic, and when they had landed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

# Each is one look into the index: the ledger may hold millions of ranges.
_TOPICS: Final = text("""
SELECT asked.topic_id, found.topic FROM unnest(CAST(:ids AS text[])) AS asked (topic_id)
CROSS JOIN LATERAL (SELECT topic FROM ledger WHERE ledger.topic_id = asked.topic_id LIMIT 1) AS found
""")
_LANDED: Final = text("""
SELECT asked.topic_id, asked.partition, asked.at, found.landed_at
FROM unnest(CAST(:ids AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]))
    AS asked (topic_id, partition, at)
CROSS JOIN LATERAL (
    SELECT next_offset, landed_at FROM ledger
    WHERE ledger.topic_id = asked.topic_id AND ledger.partition = asked.partition AND first_offset <= asked.at
    ORDER BY first_offset DESC, next_offset DESC LIMIT 1) AS found
WHERE found.next_offset > asked.at
""")


class Message(NamedTuple):
    """A message's place."""

    topic_id: str
    partition: int
    offset: int


async def topics_of(engine: AsyncEngine, topic_ids: Collection[str]) -> dict[str, str]:
    """The names of topics by their ids; of those of which something has landed."""
    async with engine.connect() as connection:
        rows = (await connection.execute(_TOPICS, {"ids": list(topic_ids)})).all()
    return {str(topic_id): str(name) for topic_id, name in rows}


async def landed_at(engine: AsyncEngine, messages: Sequence[Message]) -> Mapping[Message, datetime]:
    """When the messages' range was noted in the ledger: all that came of them could be queried then. One that has not
    landed is left out."""
    given = {
        "ids": [each.topic_id for each in messages],
        "partitions": [each.partition for each in messages],
        "offsets": [each.offset for each in messages],
    }
    async with engine.connect() as connection:
        rows = (await connection.execute(_LANDED, given)).all()
    return {Message(topic_id, partition, offset): at for topic_id, partition, offset, at in rows}
