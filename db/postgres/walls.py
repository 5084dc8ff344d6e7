"""Reads that are made for a caller, behind a second wall: row-level security of PostgreSQL.

The query names the tenants as ever; should it once not, the server leaves out the rows of all others. Use `reading`
for every read of a tenant's rows that a caller asked for: `instruments`, `instrument_names`, the tables of the
reference, `tenants` (`id`), `api_keys` (but `digest` and `pepper`, which this role may not read) and `audit`. Looking
up a key, and the reference as a whole, are reads of the system, which are made with the login itself.
"""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pipeline.errors import DataProcessingError

READER: Final = "gridtick_reader"
_ENTER: Final = text("SELECT set_config('role', :role, true), set_config('gridtick.tenants', :tenants, true)")
_READABLE: Final = text("SELECT FROM instruments LIMIT 0")
_REFUSED: Final = frozenset({"42501", "22023"})  # not allowed; there is no such role


@asynccontextmanager
async def reading(engine: AsyncEngine, tenants: Collection[str]) -> AsyncGenerator[AsyncConnection]:
    """A transaction in which only rows of these tenants are there; one round trip more than without."""
    if any("," in each for each in tenants):
        raise ValueError("a tenant's id holds no comma")
    async with engine.begin() as connection:
        await connection.execute(_ENTER, {"role": READER, "tenants": ",".join(tenants)})
        yield connection


async def require(engine: AsyncEngine) -> None:
    """Raises `DataProcessingError` where the login may not read behind the wall."""
    try:
        async with reading(engine, ()) as connection:
            await connection.execute(_READABLE)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _REFUSED:
            raise
        raise DataProcessingError(
            f"the login of DATA_PROC_POSTGRES_DSN may not read as the role {READER}. Let the one that migrated run "
            f"`GRANT {READER} TO <that login>`; after a restore see docs/audit.md.",
            "postgres",
        ) from None
