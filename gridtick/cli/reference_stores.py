"""What `gridtick reference` asks of the stores."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Final, TypeVar

import asyncpg
from kombu.exceptions import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.clickhouse.client import connect as connect_clickhouse
from db.clickhouse.spreads import spreads_with_values
from db.postgres.engine import OUTAGE, make_engine
from db.postgres.schema import require_current
from db.redis.client import connect_async
from db.reference import loading
from db.reference.keeper import publish
from db.reference.loading import Loaded, Mode
from db.reference.rows import rows_of
from db.reference.snapshot import read_versions
from pipeline.errors import DataProcessingError
from pipeline.reference.changes import Changes
from pipeline.reference.reading import Given
from pipeline.reference.tables import TABLES, TENANT
from pipeline.reference.writing import to_csv
from service.settings import Settings
from workers import queues as workers
from workers.broker import make_app

T = TypeVar("T")
SEEN_S: Final = 2.0  # after which every worker has looked at the version again
_AWAY: Final = (*OUTAGE, asyncpg.PostgresError, asyncpg.InterfaceError)


def load(settings: Settings, files: Sequence[Given], mode: Mode) -> Loaded:
    """Loads good files, and offers what there is then to all processes."""

    async def work(engine: AsyncEngine) -> Loaded:
        loaded = await loading.load(engine, files, partial(_valued, settings), mode)
        if not mode.dry_run:
            redis = connect_async(settings.redis.url.get_secret_value())
            await publish(engine, redis)  # where Redis is away they read PostgreSQL
            await redis.aclose()
            _look_at_definitions(settings)
        return loaded

    return _with_engine(settings, work)


def _look_at_definitions(settings: Settings) -> None:
    """A pass derives what new definitions lack. Where the broker is away, the next one that has prices does."""
    with suppress(OperationalError):
        workers.publish(make_app(settings), workers.PASS, after_s=SEEN_S)


def difference(settings: Settings, given: Given) -> Changes:
    return _with_engine(settings, lambda engine: loading.difference(engine, given))


def exported(settings: Settings, tables: Sequence[str], tenant: str) -> list[bytes]:
    """The rows of a tenant as CSV, one text a table."""

    async def work(engine: AsyncEngine) -> list[bytes]:
        async with engine.connect() as connection:
            found = [(TABLES[name], await rows_of(connection, TABLES[name], [tenant])) for name in tables]
        return [to_csv(table, rows) for table, rows in found]

    return _with_engine(settings, work)


def listed(settings: Settings) -> tuple[int, list[tuple[str, str, str, str]]]:
    """The version, and of each table its name, rows, tenants and columns."""

    async def work(engine: AsyncEngine) -> tuple[int, list[tuple[str, str, str, str]]]:
        async with engine.connect() as connection:
            found = [(table, await rows_of(connection, table)) for table in TABLES.values()]
        rows = [
            (table.name, str(frame.height), str(frame[TENANT].n_unique()), ",".join(table.columns))
            for table, frame in found
        ]
        return (await read_versions(engine)).all, rows

    return _with_engine(settings, work)


def lines(found: Changes) -> Iterator[str]:
    """The changes, a line a row: its key, and of a changed one the cells that differ."""
    keys = [TENANT, *found.table.key]
    for sign, rows in (("-", found.removed), ("+", found.added)):
        yield from (f"{sign} {_shown(row)}" for row in rows.select(keys).iter_rows())
    for old, new in zip(found.before.iter_rows(named=True), found.after.iter_rows(named=True), strict=True):
        cells = [f"{name}: {_text(old[name])} → {_text(new[name])}" for name in new if old[name] != new[name]]
        yield f"~ {_shown([new[name] for name in keys])}  {'; '.join(cells)}"


def _shown(key: Sequence[object]) -> str:
    return " ".join(_text(each) for each in key)


def _text(cell: object) -> str:
    return "-" if cell is None else str(cell)


def _valued(settings: Settings) -> set[tuple[str, str]]:
    with closing(connect_clickhouse(settings.clickhouse)) as client:
        return spreads_with_values(client)


def _with_engine(settings: Settings, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
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
