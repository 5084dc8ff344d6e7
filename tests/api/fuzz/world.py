"""What is stored: prices, bars, curves and spreads of what the examples of the document name, for three tenants."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Final

import polars as pl
import pytest

from db.entitlements import EVERYTHING
from db.postgres.access import StoredKey, create_key, ensure_tenant
from db.postgres.engine import make_engine
from db.postgres.reference import register_instruments
from db.redis.client import connect as connect_redis
from local.stack import PEPPER, Stack
from pipeline.schema import PUBLIC
from service import apikey
from service.settings import Settings
from tests.api.fuzz import rooms
from tests.api.running_api import serving
from tests.db.clickhouse.rows import document, generic
from tests.pipeline.curves.making import Row, strip
from tests.workers.tasks.passing import working

CUSTOMER: Final = "acme"
RIVAL: Final = "rival7f3a"  # of which no caller of another tenant may see a trace
_HUB: Final = "TH_NP15_GEN-APND"
_DAY: Final = datetime(2026, 7, 1, 4, tzinfo=UTC)  # begins in New York
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class World:
    """A running API over stores of its own, with an administrator's key of each of two tenants."""

    url: str
    keys: dict[str, apikey.ApiKey]
    settings: Settings
    stack: Stack
    log: Path

    def headers(self, tenant: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[tenant].text()}"}


@contextmanager
def world(stack: Stack, folder: Path) -> Generator[World]:
    """Made, filled and served."""
    environ, settings = rooms.made(stack)
    _fill(settings)
    keys = {tenant: asyncio.run(_key(settings, tenant)) for tenant in (PUBLIC, CUSTOMER, RIVAL)}
    log = folder / "api.log"
    with log.open("wb") as output, _served(stack, output, environ) as url:
        yield World(url, keys, settings, stack, log)


@contextmanager
def _served(stack: Stack, output: IO[bytes], environ: dict[str, str]) -> Generator[str]:
    own = {name: value for name, value in environ.items() if stack.environ.get(name) != value}
    with serving(stack, output, **own) as url:
        yield url


def _fill(settings: Settings) -> None:
    redis = connect_redis(settings.redis.url.get_secret_value())
    redis.flushdb()
    redis.close()
    rows = [*_examples(PUBLIC), *_settled(), *_own(CUSTOMER), *_own(RIVAL)]
    asyncio.run(_registered(settings, rows))
    with pytest.MonkeyPatch.context() as patch, working(settings, patch) as worker:
        worker.land(rows)


def _examples(tenant: str) -> list[Row]:
    pjm = [("da_hourly", "51217"), ("da_hourly", "51288"), ("rt_hourly", "51288")]
    nodes = [_document(tenant, "pjm", *each, at, 60) for each in pjm for at in range(24)]
    return [*nodes, *_own(tenant), *(_document(tenant, "caiso", "rt_5min", _HUB, 168 + at, 5) for at in range(24))]


def _document(tenant: str, market: str, product: str, location: str, number: int, minutes: int) -> Row:
    names = {"instrument": f"{market}.{product}.{location}", "market": market, "product": product}
    price, parts = Decimal(30 + number % 7), {"energy": "29.5", "loss": "-0.25"}
    start = _DAY + number * timedelta(minutes=minutes)
    more = {name: Decimal(each) for name, each in parts.items()} | {"congestion": price - Decimal("29.25")}
    place = {"location": location, "offset": number, "known_at": start - _HOUR, "topic_id": market}
    return document(tenant, start, str(price), minutes, **names, **more, **place)


def _own(tenant: str) -> list[Row]:
    """A stream of generic ticks."""
    name = "NG_HH_BALMO" if tenant == PUBLIC else f"{tenant.upper()}_GAS"
    shape = {"instrument": name, "market": "henry_hub", "volume": Decimal(2), "topic_id": tenant}
    start = _DAY + 14 * _HOUR
    return [
        generic(tenant, start + at * timedelta(seconds=30), f"3.{at}", event_id=f"e{at}", offset=at, **shape)
        for at in range(9)
    ]


def _settled() -> list[Row]:
    """Futures of Henry Hub at the sessions of the examples."""
    return [row for day in (date(2026, 3, 2), date(2026, 6, 30), date(2026, 7, 1)) for row in strip(day, "3.1", "2.9")]


async def _registered(settings: Settings, rows: list[Row]) -> None:
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    names = ("tenant", "instrument", "market", "product", "location", "known_at")
    frame = pl.DataFrame([[row[each] for each in names] for row in rows], schema=list(names), orient="row")
    first = frame.group_by("tenant", "instrument").first().rename({"known_at": "first_seen"})
    unit = pl.when(market="henry_hub").then(pl.lit("USD/MMBtu")).otherwise(pl.lit("USD/MWh"))
    await register_instruments(engine, first.with_columns(unit=unit, currency=pl.lit("USD")))
    await engine.dispose()


async def _key(settings: Settings, tenant: str) -> apikey.ApiKey:
    engine, key = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False), apikey.make()
    await ensure_tenant(engine, tenant, f"what {tenant} has")
    digest = key.digest(rooms.PLANTED[PEPPER])
    await create_key(
        engine, StoredKey(key.id, tenant, f"of {tenant}", "admin", None, digest, None, None, False, EVERYTHING)
    )
    await engine.dispose()
    return key
