"""`gridtick verify`: the brute-force proof of everything that is stored."""

import asyncio
import signal
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir, instant
from gridtick.cli.system import reached_kafka, settings_of

if TYPE_CHECKING:
    from service.settings import Settings
    from verify.proof import Report


def verify(
    since: Annotated[
        str, typer.Option(help="Only instruments with a price since this instant (ISO 8601 with an offset).")
    ] = "1990-01-01T00:00:00Z",
    show: Annotated[int, typer.Option(min=1, help="How many differences of each kind are shown.")] = 10,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Recompute every bar, latest price and offset range from the stored ticks. Exit status 1 if anything differs.

    Example: gridtick verify --since 2025-11-01T00:00:00Z
    """
    from verify.model import only_first

    at, settings = instant(since), settings_of(data_dir)
    reached_kafka(settings, data_dir)
    report = _proved(settings, at)
    for difference in only_first(report.differences, show):
        print(difference)
    found = len(report.differences)
    print(
        f"{report.instruments} instruments, {report.publications} publications, {report.bars} bars, "
        f"{report.spreads} values of spreads, {report.curves} snapshots of curves "
        f"and {report.messages} messages checked: "
        f"{found or 'no'} difference{'' if found == 1 else 's'}."
    )
    if found:
        raise typer.Exit(1)


def _proved(settings: "Settings", since: datetime) -> "Report":
    from db.clickhouse.client import connect as connect_clickhouse
    from db.postgres.engine import make_engine
    from db.redis.client import connect as connect_redis
    from db.reference.snapshot import read
    from verify.proof import (
        Report,
        Stores,
        check_curves,
        check_instruments,
        check_positions,
        check_spreads,
        check_strays,
    )

    report = Report()
    with (
        closing(connect_clickhouse(settings.clickhouse)) as clickhouse,
        closing(connect_redis(settings.redis.url.get_secret_value())) as redis,
        Console(stderr=True).status("reading") as status,
    ):
        engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
        tables = asyncio.run(read(engine)).tables
        stores = Stores(clickhouse, redis, engine, settings.kafka, tables)
        check_instruments(stores, since, report, lambda r: status.update(_progress(r)))
        check_strays(stores, report)
        status.update("spreads")
        check_spreads(stores, report)
        status.update("curves")
        check_curves(stores, report)
        status.update("reading the topics again")
        with _ended_at_once():
            asyncio.run(check_positions(stores, report))
    return report


@contextmanager
def _ended_at_once() -> Generator[None]:
    """Ctrl-C ends a coroutine that blocks, too: asyncio by itself only marks it as cancelled and waits for its end."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # asyncio leaves any other handler where it is
        signal.signal(signal.SIGINT, partial(signal.default_int_handler))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _progress(report: "Report") -> str:
    return f"{report.instruments} instruments, {report.publications} publications, {report.bars} bars"


def register(app: typer.Typer) -> None:
    app.command()(verify)
