"""Which schema the database holds, brought to what this program knows, or refused with a sentence."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from pipeline.errors import DataProcessingError

_MIGRATIONS = Path(__file__).parent.parent / "migrations"


async def upgrade(engine: AsyncEngine) -> str:
    """Runs the migrations that are missing; gives the revision reached. Refuses a newer schema."""
    async with engine.begin() as connection:
        await connection.run_sync(_refuse_newer)
        await connection.run_sync(_upgrade)
    return _head()


async def require_current(engine: AsyncEngine) -> None:
    """Raises `DataProcessingError` unless the database holds exactly the schema of this program."""
    async with engine.connect() as connection:
        found = await connection.run_sync(_refuse_newer)
    if found != _head():
        raise DataProcessingError(
            f"the PostgreSQL schema is {found or 'empty'}, this program needs {_head()}. Run `python -m db.migrate`.",
            "postgres",
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _head() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _refuse_newer(connection: Connection) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    known = {each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise DataProcessingError(
            f"the PostgreSQL schema {found} is newer than this program, which knows up to {_head()}. "
            "Start a newer Gridtick, or point DATA_PROC_POSTGRES_DSN at another database.",
            "postgres",
        )
    return found


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
