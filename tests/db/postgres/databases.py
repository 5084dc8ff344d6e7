"""A database of a test's own on the server of the test run."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import make_engine
from service.settings import Settings


@asynccontextmanager
async def fresh_database(settings: Settings) -> AsyncGenerator[AsyncEngine]:
    """An engine on it; it is empty, and goes away in the end."""
    dsn, name = settings.postgres.dsn.get_secret_value(), f"fresh_{uuid4().hex[:12]}"
    admin = make_engine(dsn, pooled=False).execution_options(isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    own = make_url(dsn).set(database=name).render_as_string(hide_password=False)
    engine = make_engine(own, pooled=False)
    yield engine
    await engine.dispose()
    async with admin.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
