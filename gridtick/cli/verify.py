"""`gridtick verify`: the brute-force proof of everything that is stored."""

import asyncio
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipeline.errors import DataProcessingError

if TYPE_CHECKING:
    from verify.proof import Report


def verify(
    since: Annotated[
        str, typer.Option(help="Only instruments with a price since this instant (ISO 8601 with an offset).")
    ] = "1990-01-01T00:00:00Z",
    show: Annotated[int, typer.Option(min=1, help="How many differences of each kind are shown.")] = 10,
) -> None:
    """Recompute every bar, latest price and offset range from the stored ticks. Exit status 1 if anything differs.

    Example: gridtick verify --since 2026-11-01T00:00:00Z
    """
    from verify.model import only_first

    report = asyncio.run(_proved(_instant(since)))
    for difference in only_first(report.differences, show):
        print(difference)
    found = len(report.differences)
    print(
        f"{report.instruments} instruments, {report.publications} publications, {report.bars} bars and "
        f"{report.messages} messages checked: {found or 'no'} difference{'' if found == 1 else 's'}."
    )
    if found:
        raise typer.Exit(1)


async def _proved(since: datetime) -> "Report":
    from db.clickhouse.client import connect as connect_clickhouse
    from db.postgres.engine import make_engine
    from db.redis.client import connect as connect_redis
    from service.settings import load
    from verify.proof import Report, Stores, check_instruments, check_positions

    settings = load()
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    clickhouse = connect_clickhouse(settings.clickhouse)
    redis = connect_redis(settings.redis.url.get_secret_value())
    stores = Stores(clickhouse, redis, engine, settings.kafka)
    report = Report()
    try:
        with Console(file=sys.stderr).status("reading") as status:
            check_instruments(stores, since, report, lambda r: status.update(_progress(r)))
            status.update("reading the topics again")
            await check_positions(stores, report)
    finally:
        clickhouse.close()
        redis.close()
        await engine.dispose()
    return report


def _progress(report: "Report") -> str:
    return f"{report.instruments} instruments, {report.publications} publications, {report.bars} bars"


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise DataProcessingError(
            f"--since {text} is no instant. Write it with an offset, e.g. 2026-11-01T00:00:00Z.", "cli"
        )
    return instant


def register(app: typer.Typer) -> None:
    app.command()(verify)
