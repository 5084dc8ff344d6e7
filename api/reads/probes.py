"""How the API asks each store whether it answers (`api.reads.doubt`)."""

import asyncio
from contextlib import suppress
from functools import partial

import asyncpg
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from redis.asyncio import Redis

from api.reads.doubt import Probe
from api.reads.ports import Store
from db.clickhouse import client as clickhouse
from db.postgres.engine import make_engine, ping
from db.postgres.trust import Trust
from db.redis import client as redis
from service.settings import Settings


def probes(
    settings: Settings, clients: tuple[AsyncClient, Client], trust: Trust, register: Redis
) -> dict[Store, Probe]:
    """Of these connections: the two clients of ClickHouse, the pool of PostgreSQL, and Redis."""
    url = settings.redis.url.get_secret_value()
    forget = partial(register.connection_pool.disconnect, inuse_connections=False)
    return {
        "clickhouse": _clickhouse(settings, *clients),
        "postgres": _postgres(settings, trust),
        "redis": Probe(partial(redis.ask_anew, url), forget),
    }


def _clickhouse(settings: Settings, asked: AsyncClient, blocking: Client) -> Probe:
    async def forget() -> None:
        await asked.close_connections()
        await asyncio.to_thread(blocking.close_connections)

    return Probe(partial(clickhouse.ask_anew, settings.clickhouse), forget)


def _postgres(settings: Settings, trust: Trust) -> Probe:
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)

    async def ask() -> None:
        with suppress(asyncpg.TooManyConnectionsError):  # that is an answer, too
            await ping(engine)

    async def forget() -> None:
        trust.lose()

    return Probe(ask, forget)
