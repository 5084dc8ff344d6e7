"""The PostgreSQL that a command works on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import OUTAGE, make_engine
from db.postgres.schema import require_current
from pipeline.errors import DataProcessingError
from service.settings import Settings

T = TypeVar("T")
_AWAY: Final = (*OUTAGE, asyncpg.PostgresError, asyncpg.InterfaceError)


def with_engine(settings: Settings, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    """What the work gives. Raises `DataProcessingError` where PostgreSQL is away or holds another schema."""

    async def run() -> T:
        engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
        try:
            await require_current(engine)
            return await work(engine)
        except _AWAY as error:
            raise DataProcessingError(
                f"PostgreSQL does not answer ({type(error).__name__}). Start a system with `gridtick up`, name its "
                "folder with --data-dir, or set DATA_PROC_POSTGRES_DSN.",
                "cli",
            ) from None
        finally:
            await engine.dispose()

    return asyncio.run(run())
