"""Clients of a real Redis."""

from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from db.redis.client import connect, connect_async
from service.settings import Settings


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    client = connect(settings.redis.url.get_secret_value())
    yield client
    client.close()


@pytest.fixture
async def reader(settings: Settings) -> AsyncIterator[AsyncRedis]:
    client = connect_async(settings.redis.url.get_secret_value())
    yield client
    await client.aclose()
