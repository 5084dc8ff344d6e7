"""A tenant of its own, and an engine on a real PostgreSQL."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import make_engine
from db.redis.client import connect_async
from service.settings import Settings


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    made = make_engine(settings.postgres.dsn.get_secret_value())
    yield made
    await made.dispose()


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    made = connect_async(settings.redis.url.get_secret_value())
    yield made
    await made.aclose()


@pytest.fixture
def tenant() -> str:
    return f"t-{uuid4().hex[:12]}"
