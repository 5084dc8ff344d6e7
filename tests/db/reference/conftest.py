"""A client of a real Redis."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from db.redis.client import connect_async
from service.settings import Settings


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    made = connect_async(settings.redis.url.get_secret_value())
    yield made
    await made.aclose()
