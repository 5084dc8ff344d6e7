"""Erasing a tenant: what is its own goes out of all stores; its id stays, so that nobody else gets it.

Every step can be repeated: one that was cut short is simply done again. PostgreSQL comes first, and with it the keys
and the names of the instruments: from then on nothing of the tenant is shown. Redis comes after ClickHouse, from which
its latest prices are made when it is empty.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from clickhouse_connect.driver.client import Client
from redis.asyncio import Redis
from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.clickhouse.frames import fetch
from db.clickhouse.query import Query
from db.postgres import idempotency, tenants
from db.postgres.changes import By, Done, perform
from db.postgres.tables import tenants as table
from db.postgres.tenants import require_not_public
from db.redis.forget import forget
from db.redis.landed import Bounds
from db.reference.keeper import publish
from db.tenants.places import CLICKHOUSE, POSTGRES

_NAME: Final = "erased"

Erased = dict[str, dict[str, int]]
"""Of each store what was removed: rows a table."""


@dataclass(frozen=True, slots=True)
class EraseTenant:
    """The part in PostgreSQL; its answer counts rows a table."""

    action: ClassVar = "tenant.erase"
    id: str

    async def apply(self, connection: AsyncConnection, by: By, /) -> Done:
        require_not_public(self.id, "erased")
        await tenants.found(connection, self.id, lock=True)
        given = {"tenant": self.id}
        counts = {each: (await connection.execute(_delete(each), given)).rowcount for each in POSTGRES}
        counts["idempotency"] += await idempotency.forget(connection, self.id)
        nothing = dict.fromkeys(("suspended_at", *tenants.LIMITED))
        values = {**nothing, "name": _NAME, "erased_at": func.coalesce(table.c.erased_at, by.at)}
        await connection.execute(update(table).where(table.c.id == self.id).values(values))
        return Done(counts, self.id, self.id, counts)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the rest lies."""

    postgres: AsyncEngine
    clickhouse: Client
    redis: Redis
    bounds: Bounds


Within = Callable[[Literal["postgres", "clickhouse", "redis"]], AbstractAsyncContextManager[None]]


async def erase(stores: Stores, secret: str, tenant: str, by: By, within: Within = lambda _: nullcontext()) -> Erased:
    """Says what was removed. `secret`: that of the audit record; `within`: around the work on each store. Raises
    `Refused` where there is no such tenant, or it is the public one."""
    async with within("postgres"):
        removed = (await perform(stores.postgres, secret, EraseTenant(tenant), by)).answer
        await publish(stores.postgres, stores.redis)  # where Redis is away the processes read PostgreSQL
    async with within("clickhouse"):
        cleared = await asyncio.to_thread(_clear, stores.clickhouse, tenant)
    async with within("redis"):
        latest = await forget(stores.redis, tenant, stores.bounds)
    return {"postgres": removed, "clickhouse": cleared, "redis": {"latest": latest}}


def _delete(name: str) -> Any:
    return text(f"DELETE FROM {name} WHERE tenant = :tenant")  # noqa: S608 - names of `places`


def _clear(client: Client, tenant: str) -> dict[str, int]:
    return {name: _cleared(client, name, tenant) for name in CLICKHOUSE}


def _cleared(client: Client, name: str, tenant: str) -> int:
    given = {"tenant": tenant}
    counted = Query(f"SELECT count() AS rows FROM {name} WHERE tenant = {{tenant:String}}", given)  # noqa: S608
    rows = int(fetch(client, counted)["rows"].item())
    if rows:  # a mutation looks at every part of the table
        statement = f"ALTER TABLE {name} DELETE WHERE tenant = {{tenant:String}}"
        client.command(statement, parameters=given, settings={"mutations_sync": 1})
    return rows
