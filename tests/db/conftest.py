"""An engine on a real PostgreSQL, and a tenant that no other test has."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import make_engine
from service.settings import Settings


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    made = make_engine(settings.postgres.dsn.get_secret_value())
    yield made
    await made.dispose()


@pytest.fixture
def tenant() -> str:
    return f"t-{uuid4().hex[:12]}"
