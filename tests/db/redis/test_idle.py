"""What the bridge notes of partitions in which nothing waits, on a real server."""

import pytest
from redis import Redis

from db.redis import idle
from db.redis.client import connect_async
from service.settings import Settings

pytestmark = pytest.mark.stack


async def test_what_was_noted_is_read(redis: Redis, settings: Settings) -> None:
    """The id of a topic is of the letters of base 64, the slash among them."""
    redis.delete(idle.KEY)
    own = connect_async(settings.redis.url.get_secret_value())
    try:
        assert await idle.read_async(own) == {}
        idle.note(redis, "a.topic", "a/1+/", [0, 1, 3], {0: 5, 3: 7})
        idle.note(redis, "a.topic", "a/1+/", [0, 1, 3], {0: 6})
        idle.note(redis, "other", "id-2", [], {})
        idle.note(redis, "other", "id-2", [1], {1: 9})
        found = await idle.read_async(own)
    finally:
        await own.aclose()
        redis.delete(idle.KEY)
    of = {partition: at for (topic, its_id, partition), at in found.items() if (topic, its_id) == ("a.topic", "a/1+/")}
    assert of == {0: 6, 1: 0, 3: 7}
    assert found["other", "id-2", 1] == 9
    assert len(found) == 4
