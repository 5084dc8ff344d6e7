"""Migrations on a real server, in a database of their own."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres import schema
from db.postgres.tables import metadata
from pipeline.errors import DataProcessingError
from service.settings import Settings
from tests.db.postgres.databases import fresh_database

pytestmark = pytest.mark.stack


@pytest.fixture
async def empty(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """An engine on a fresh database."""
    async with fresh_database(settings) as engine:
        yield engine


async def test_an_empty_database_is_refused_then_migrated_twice(empty: AsyncEngine) -> None:
    with pytest.raises(DataProcessingError, match=r"schema is empty.*python -m db.migrate"):
        await schema.require_current(empty)
    first = await schema.upgrade(empty)
    assert await schema.upgrade(empty) == first
    await schema.require_current(empty)


async def test_a_newer_schema_is_refused(empty: AsyncEngine) -> None:
    await schema.upgrade(empty)
    async with empty.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (schema.upgrade, schema.require_current):
        with pytest.raises(DataProcessingError, match="9999 is newer than this program"):
            await refused(empty)


async def test_the_tables_are_those_that_queries_name(empty: AsyncEngine) -> None:
    await schema.upgrade(empty)
    found = MetaData()
    async with empty.connect() as connection:
        await connection.run_sync(found.reflect)
    for name, table in metadata.tables.items():
        columns = {column.name: column.nullable for column in found.tables[name].columns}
        named = {column.name: column.nullable for column in table.columns}
        assert named.items() <= columns.items(), name
