"""An API process whose stores are reached through doors, and a tenant with prices of all kinds."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import polars as pl

from api.reads.ports import Store
from db.postgres.access import StoredKey, create_key
from db.postgres.engine import make_engine
from db.redis import generation
from db.redis.client import connect as connect_redis
from db.redis.landed import Bounds
from db.redis.latest import write_latest
from local.stack import CLICKHOUSE, POSTGRES, REDIS, Stack
from service import apikey, clock
from service.settings import Settings
from tests.api import running_api
from tests.api.outages.proxy import Door, Doors, Mode, doors

START: Final = datetime(2026, 7, 1, 12, tzinfo=UTC)
TICKS: Final = 3_000
_OWN_REDIS: Final = "/3"  # a database of its own: its register is whole


@dataclass(frozen=True, slots=True)
class World:
    """`words`: what the paths of the table are filled with."""

    url: str
    doors: Doors
    door: dict[Store, Door]
    keys: dict[str, str]
    words: dict[str, str]

    def turn(self, mode: Mode, *stores: Store, cut_after: int = 0) -> None:
        for store in stores or self.door:
            self.doors.turn(self.door[store], mode, cut_after)


@contextmanager
def world(stack: Stack, settings: Settings) -> Generator[World]:
    tenant, redis = f"t-{uuid4().hex[:10]}", stack.environ[REDIS].rpartition("/")[0] + _OWN_REDIS
    words = {"tenant": tenant, "gas": f"GAS_{uuid4().hex[:6]}"}
    words |= {name: f"caiso.da_hourly.{name.upper()}_{uuid4().hex[:6]}" for name in ("node", "hub")}
    _store(settings, redis, tenant, words)
    keys = asyncio.run(_keys(settings, tenant, words))
    words["key"] = keys["tenant"].split("_")[2]
    with doors() as opened:
        addresses: dict[Store, str] = {"clickhouse": CLICKHOUSE, "postgres": POSTGRES, "redis": REDIS}
        given = {**stack.environ, REDIS: redis}
        door: dict[Store, Door] = {store: _opened(opened, given[name]) for store, name in addresses.items()}
        reached = {name: through(given[name], door[store]) for store, name in addresses.items()}
        with running_api.serving(stack, None, **reached) as url:
            yield World(url, opened, door, keys, words)
    _forget(redis)


def _store(settings: Settings, redis: str, tenant: str, words: dict[str, str]) -> None:
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    spans = [(str(20 + n), now + timedelta(hours=n), now + timedelta(hours=n + 1)) for n in range(-30, 30)]
    prices = [str(n % 7 + 1) for n in range(TICKS)]
    ticks = [running_api.ticks(tenant, words["gas"], prices, START)]
    ticks += [running_api.day_ahead(tenant, words[name], spans) for name in ("node", "hub")]
    candidates = running_api.stored(settings, pl.concat(ticks))
    client = connect_redis(redis)
    client.flushdb()
    token = generation.begin(client)
    assert token is not None
    write_latest(client, candidates, Bounds(3600, 1000))
    assert generation.finish(client, token)
    client.close()


async def _keys(settings: Settings, tenant: str, words: dict[str, str]) -> dict[str, str]:
    named = (words["gas"], "henry_hub", "tick"), *((words[name], "caiso", "da_hourly") for name in ("node", "hub"))
    await running_api.access(settings, tenant, *named)
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    keys = {name: apikey.make() for name in ("tenant", "operator")}
    stored = StoredKey("", tenant, "t", "admin", None, b"", None, None)
    for key, whose in ((keys["tenant"], tenant), (keys["operator"], "public")):
        await create_key(engine, replace(stored, id=key.id, tenant=whose, digest=key.digest(running_api.PEPPER)))
    await engine.dispose()
    return {name: key.text() for name, key in keys.items()}


def _opened(doors: Doors, address: str) -> Door:
    split = urlsplit(address)
    assert split.hostname is not None
    assert split.port is not None
    return doors.open(split.hostname, split.port)


def through(address: str, door: Door) -> str:
    split = urlsplit(address)
    login = split.netloc.rpartition("@")[0]
    return urlunsplit(split._replace(netloc=f"{login}@127.0.0.1:{door.port}" if login else f"127.0.0.1:{door.port}"))


def _forget(redis: str) -> None:
    client = connect_redis(redis)
    client.flushdb()
    client.close()
