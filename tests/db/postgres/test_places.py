"""Single messages in the ledger: the name of their topic, and since when what they brought is there."""

from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.ledger import LandedRange, append_ledger
from db.postgres.ledger_ranges import ledger_ranges
from db.postgres.places import Message, landed_at, topics_of

pytestmark = pytest.mark.stack


def landed(topic_id: str, first: int, following: int, partition: int = 0) -> LandedRange:
    return LandedRange("prices.raw", topic_id, partition, first, following, following - first, 1, 0, 0, 1, "b")


async def test_a_message_has_landed_with_its_range(engine: AsyncEngine) -> None:
    topic_id = uuid4().hex
    await append_ledger(engine, [landed(topic_id, 0, 10), landed(topic_id, 12, 13)])
    await append_ledger(engine, [landed(topic_id, 10, 11, partition=1)])
    ranges = await ledger_ranges(engine, topic_id)
    first, second, other = ranges["landed_at"]
    asked = {(0, 0): first, (0, 9): first, (0, 12): second, (1, 10): other}
    absent = [(0, 10), (0, 11), (0, 13), (1, 9), (2, 0)]
    messages = [Message(topic_id, *place) for place in (*asked, *absent)]
    assert await landed_at(engine, messages) == {Message(topic_id, *place): at for place, at in asked.items()}
    assert await landed_at(engine, [Message(uuid4().hex, 0, 0)]) == {}


async def test_topics_are_named(engine: AsyncEngine) -> None:
    topic_id = uuid4().hex
    await append_ledger(engine, [landed(topic_id, 0, 1), landed(topic_id, 1, 2)])
    assert await topics_of(engine, [topic_id, uuid4().hex]) == {topic_id: "prices.raw"}
    assert await topics_of(engine, []) == {}
