"""What `gridtick reference` asks of the stores."""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Final

from kombu.exceptions import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.clickhouse.client import connect as connect_clickhouse
from db.clickhouse.spreads import spreads_with_values
from db.postgres.audit import CLI
from db.postgres.changes import By
from db.redis.client import connect_async
from db.reference import loading
from db.reference.keeper import publish
from db.reference.loading import Loaded, Mode
from db.reference.recorded import Author
from db.reference.rows import rows_of
from db.reference.snapshot import read_versions
from gridtick.cli.postgres import with_engine
from pipeline.reference.changes import Changes
from pipeline.reference.reading import Given
from pipeline.reference.tables import TABLES, TENANT
from pipeline.reference.writing import to_csv
from pipeline.schema import PUBLIC
from service import clock
from service.settings import Settings
from workers import queues as workers
from workers.broker import make_app

SEEN_S: Final = 2.0  # after which every worker has looked at the version again


def load(settings: Settings, files: Sequence[Given], mode: Mode) -> Loaded:
    """Loads good files, and offers what there is then to all processes."""

    async def work(engine: AsyncEngine) -> Loaded:
        author = Author(By(CLI, PUBLIC, "", clock.now()), settings.api.audit_secret.get_secret_value())
        loaded = await loading.load(engine, files, partial(_valued, settings), mode, author)
        if not mode.dry_run:
            redis = connect_async(settings.redis.url.get_secret_value())
            await publish(engine, redis)  # where Redis is away they read PostgreSQL
            await redis.aclose()
            _look_at_definitions(settings)
        return loaded

    return with_engine(settings, work)


def _look_at_definitions(settings: Settings) -> None:
    """A pass derives what new definitions lack. Where the broker is away, the next one that has prices does."""
    with suppress(OperationalError):
        workers.publish(make_app(settings), workers.PASS, after_s=SEEN_S)


def difference(settings: Settings, given: Given) -> Changes:
    return with_engine(settings, lambda engine: loading.difference(engine, given))


def exported(settings: Settings, tables: Sequence[str], tenant: str) -> list[bytes]:
    """The rows of a tenant as CSV, one text a table."""

    async def work(engine: AsyncEngine) -> list[bytes]:
        async with engine.connect() as connection:
            found = [(TABLES[name], await rows_of(connection, TABLES[name], [tenant])) for name in tables]
        return [to_csv(table, rows) for table, rows in found]

    return with_engine(settings, work)


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

    return with_engine(settings, work)


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
