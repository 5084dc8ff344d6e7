"""Connections to PostgreSQL: short time limits, so that a server that is away is noticed within seconds."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from db.postgres.trust import Trust
from pipeline.errors import DataProcessingError

CONNECT_SECONDS: Final = 3.0
STATEMENT_SECONDS: Final = 10.0
OUTAGE: Final = (SQLAlchemyError, OSError, TimeoutError)
"""What a read or a write raises where the server is away."""

_POOL: Final = 5


def make_engine(dsn: str, *, pooled: bool = True, trust: Trust | None = None) -> AsyncEngine:
    """An engine for `postgresql://…`; connects at first use. `pooled=False` suits one loop per task; `trust`: where the
    caller learns that a server is away before its connections do. What is sent to the server stands in no error.
    """
    try:
        url = make_url(dsn).set(drivername="postgresql+asyncpg")
    except ArgumentError:
        raise DataProcessingError(
            "DATA_PROC_POSTGRES_DSN is no address. Write postgresql://user:password@host:port/database.",
            "settings",
        ) from None
    arguments = {"timeout": CONNECT_SECONDS, "command_timeout": STATEMENT_SECONDS}
    if not pooled:
        return create_async_engine(url, connect_args=arguments, poolclass=NullPool, hide_parameters=True)
    engine = create_async_engine(
        url,
        connect_args=arguments,
        pool_size=_POOL,
        max_overflow=_POOL,
        pool_timeout=CONNECT_SECONDS,
        hide_parameters=True,
    )
    (trust or Trust()).watch(engine)
    return engine


async def ping(engine: AsyncEngine) -> None:
    """One round trip; raises what the driver raises."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
