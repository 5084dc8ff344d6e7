"""What a benchmark finds in the store, put there by the same functions as the workers use."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.bars import run_pass
from db.clickhouse.client import connect
from db.clickhouse.ticks import insert_ticks
from db.migrate import migrate
from db.postgres.engine import make_engine
from db.postgres.reference import register_instruments
from local.bench import caiso, ticks
from local.bench.caiso import Size
from local.documents.caiso import DAM, RTM, Report
from pipeline.bars import touched
from pipeline.enrich import unseen
from pipeline.schema import REFERENCE, empty
from service.settings import Settings

AT_ONCE: Final = 12  # runs
_ROWS: Final = 500_000  # of a stream


def day(settings: Settings, starts: Sequence[datetime], size: Size, say: Callable[[str], None]) -> None:
    """Runs of all nodes with their bars, and every instrument registered; the schemas are made first."""
    asyncio.run(migrate(settings))
    for report in (RTM, DAM):
        asyncio.run(register(settings, caiso.ticks(report, [starts[0]], size, "public")))
    with closing(connect(settings.clickhouse)) as client:
        for at in range(0, len(starts), AT_ONCE):
            _store(client, RTM, starts[at : at + AT_ONCE], size)
            say(f"{min(at + AT_ONCE, len(starts))} runs stored")


def stream(settings: Settings, instruments: int, count: int, tenant: str, say: Callable[[str], None]) -> None:
    """About so many generic ticks of the days before `ticks.START` with their bars, and every instrument registered."""
    moments = ticks.history(instruments, count, ticks.START, tenant)
    with closing(connect(settings.clickhouse)) as client:
        stored = 0
        while some := list(islice(moments, max(1, _ROWS // instruments))):
            if not stored:
                asyncio.run(register(settings, some[0]))
            keep(client, pl.concat(some))
            stored += len(some) * instruments
            say(f"{stored} ticks stored")


def _store(client: Client, report: Report, starts: Sequence[datetime], size: Size) -> None:
    keep(client, caiso.ticks(report, starts, size, "public"))


def keep(client: Client, publications: pl.DataFrame) -> None:
    """Stores publications and their bars."""
    insert_ticks(client, publications)
    run_pass(client, touched(publications), lambda _: None)


async def register(settings: Settings, publications: pl.DataFrame) -> None:
    """Adds the instruments of publications, as the workers do."""
    new = unseen(publications, empty(REFERENCE))
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    try:
        await register_instruments(engine, new.with_columns(first_seen=pl.lit(publications["known_at"][0])))
    finally:
        await engine.dispose()
