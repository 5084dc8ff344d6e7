"""Keys and the demo key on a real server."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from db.demo_key import demo_key_path, ensure_demo_key
from db.postgres.access import StoredKey, create_key, ensure_tenant, find_key, note_use
from db.postgres.tables import api_keys
from pipeline.errors import DataProcessingError
from service import apikey
from service.settings import Settings, load

pytestmark = pytest.mark.stack
NOW = datetime(2026, 7, 1, tzinfo=UTC)


def _stored(key: apikey.ApiKey, scopes: frozenset[str] | None = None) -> StoredKey:
    return StoredKey(key.id, "acme", "n", "viewer", scopes, key.digest("p"), NOW + timedelta(days=1), None)


async def test_a_key_comes_back_as_it_was_stored(engine: AsyncEngine) -> None:
    await ensure_tenant(engine, "acme", "Acme")
    await ensure_tenant(engine, "acme", "Acme again")
    for scopes in (None, frozenset({"prices:read"})):
        stored = _stored(apikey.make(), scopes)
        await create_key(engine, stored)
        assert await find_key(engine, stored.id) == stored
    assert await find_key(engine, "nobody") is None


async def test_a_key_is_usable_until_it_expires_or_is_revoked(engine: AsyncEngine) -> None:
    await ensure_tenant(engine, "acme", "Acme")
    stored = _stored(apikey.make())
    await create_key(engine, stored)
    assert stored.usable(NOW)
    assert not stored.usable(NOW + timedelta(days=1))
    async with engine.begin() as connection:
        await connection.execute(update(api_keys).where(api_keys.c.id == stored.id).values(revoked_at=NOW))
    found = await find_key(engine, stored.id)
    assert found is not None
    assert found.revoked_at == NOW
    assert not found.usable(NOW)


async def test_use_is_noted_once_a_minute(engine: AsyncEngine) -> None:
    await ensure_tenant(engine, "acme", "Acme")
    stored = _stored(apikey.make())
    await create_key(engine, stored)
    noted: list[datetime] = []
    for seconds in (0, 59, 61):
        await note_use(engine, stored.id, NOW + timedelta(seconds=seconds))
        async with engine.connect() as connection:
            statement = select(api_keys.c.last_used_at).where(api_keys.c.id == stored.id)
            noted.append((await connection.execute(statement)).scalar_one())
    assert noted == [NOW, NOW, NOW + timedelta(seconds=61)]


async def test_the_demo_key_is_the_same_twice_and_private(
    settings: Settings, engine: AsyncEngine, tmp_path: Path
) -> None:
    own = load(
        {
            "DATA_PROC_DATA_DIR": str(tmp_path),
            "DATA_PROC_POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
            "DATA_PROC_API_KEY_PEPPER": "pepper",
        }
    )
    first = await ensure_demo_key(own)
    assert await ensure_demo_key(own) == first
    path = demo_key_path(own)
    assert path.read_text().strip() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = apikey.parse(first)
    assert key is not None
    stored = await find_key(engine, key.id)
    assert stored is not None
    assert (stored.tenant, stored.digest) == ("public", key.digest("pepper"))


async def test_without_a_pepper_there_is_no_demo_key(tmp_path: Path) -> None:
    with pytest.raises(DataProcessingError, match="DATA_PROC_API_KEY_PEPPER is empty"):
        await ensure_demo_key(load({"DATA_PROC_DATA_DIR": str(tmp_path)}))
