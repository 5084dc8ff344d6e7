"""A tenant is exported and erased from real stores, while the rows of another one and of `public` stay as they were."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client
from redis import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.clickhouse.client import connect
from db.postgres.access import find_key
from db.postgres.changes import By, perform
from db.postgres.engine import make_engine
from db.postgres.idempotency import once
from db.postgres.keys import CreateKey, New
from db.postgres.reference import register_instruments, register_names
from db.postgres.refused import Refused
from db.postgres.tenants import CreateTenant, LimitTenant, found
from db.postgres.usage import Used, Whose, add_usage
from db.redis import landed
from db.redis.client import connect as connect_redis
from db.redis.client import connect_async
from db.redis.landed import Bounds
from db.redis.latest import read_latest, write_latest
from db.tenants.erase import Stores, erase
from db.tenants.export import months, rows, write_month
from db.tenants.places import CLICKHOUSE, KEPT, POSTGRES
from pipeline.schema import TICKS
from service import apikey
from service.settings import Settings
from tests.api.running_api import stored, ticks

pytestmark = pytest.mark.stack
NOW = datetime(2026, 7, 1, tzinfo=UTC)
NAME = "NG_HH_BALMO"
BOUNDS = Bounds(3600, 8000)


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    made = make_engine(settings.postgres.dsn.get_secret_value())
    yield made
    await made.dispose()


@pytest.fixture
def clickhouse(settings: Settings) -> Iterator[Client]:
    client = connect(settings.clickhouse)
    yield client
    client.close()


@pytest.fixture
def redis(settings: Settings) -> Iterator[Redis]:
    client = connect_redis(settings.redis.url.get_secret_value())
    yield client
    client.close()


@pytest.fixture
async def stores(settings: Settings, engine: AsyncEngine, clickhouse: Client) -> AsyncIterator[Stores]:
    reader = connect_async(settings.redis.url.get_secret_value())
    yield Stores(engine, clickhouse, reader, BOUNDS)
    await reader.aclose()


@pytest.fixture
def by() -> By:
    return By("cli", "public", "request", NOW)


async def _filled(settings: Settings, engine: AsyncEngine, redis: Redis, by: By, tenant: str) -> str:
    """A tenant that has rows everywhere; the id of its key."""
    secret, key = settings.api.audit_secret.get_secret_value(), apikey.make()
    if tenant != "public":
        sent = once("public", f"make-{uuid4().hex}", b"")  # the operator's post tells a name, too
        await perform(engine, secret, CreateTenant(tenant, "A name that goes", {}), by, sent)
    new = New(key.id, key.digest("p"), "")
    create = CreateKey(new, tenant, "a name that goes", "viewer", None, None)
    await perform(engine, secret, create, by, once(tenant, f"make-{uuid4().hex}", b""))
    await _named(engine, tenant)
    await add_usage(engine, [(Whose(date(2026, 7, 1), tenant, key.id), Used(3, 4))])
    first = ticks(tenant, NAME, ["1.5", "2.5"], NOW)
    candidates = stored(settings, pl.concat([first, ticks(tenant, NAME, ["3.5"], NOW + timedelta(days=40))]))
    write_latest(redis, candidates, BOUNDS)
    return key.id


async def _named(engine: AsyncEngine, tenant: str) -> None:
    row = {"tenant": tenant, "instrument": NAME, "market": "henry_hub", "product": "tick", "first_seen": NOW}
    await register_instruments(engine, pl.DataFrame([row]))
    named = {"tenant": tenant, "instrument": NAME, "name": "Henry", "since": NOW}
    await register_names(engine, pl.DataFrame([named]))
    holiday = "INSERT INTO holidays (tenant, calendar, day, name, source) VALUES (:t, 'nymex', '2031-03-03', 'x', 'y')"
    async with engine.begin() as connection:
        await connection.execute(text(f"{holiday} ON CONFLICT DO NOTHING"), {"t": tenant})


async def _there(stores: Stores, tenant: str) -> dict[str, int]:
    """Rows of a tenant, a table, and what others were answered about it."""
    counts: dict[str, int] = {}
    async with stores.postgres.connect() as connection:
        for name in POSTGRES:
            query = text(f"SELECT count(*) FROM {name} WHERE tenant = :tenant")
            counts[name] = (await connection.execute(query, {"tenant": tenant})).scalar_one()
        kept = "SELECT count(*) FROM idempotency WHERE tenant != :tenant AND about = :tenant"
        counts["answers about it"] = (await connection.execute(text(kept), {"tenant": tenant})).scalar_one()
    for name in CLICKHOUSE:
        query = f"SELECT count() FROM {name} WHERE tenant = {{tenant:String}}"
        counts[f"clickhouse {name}"] = cast("int", stores.clickhouse.query(query, {"tenant": tenant}).result_rows[0][0])
    counts["redis"] = len(await read_latest(stores.redis, tenant, [NAME]))
    return counts


async def test_an_erased_tenant_is_gone_and_all_others_stay(
    settings: Settings, engine: AsyncEngine, redis: Redis, stores: Stores, by: By
) -> None:
    secret = settings.api.audit_secret.get_secret_value()
    one, other = (f"t-{uuid4().hex[:12]}" for _ in range(2))
    key = {each: await _filled(settings, engine, redis, by, each) for each in (one, other, "public")}
    before = {each: await _there(stores, each) for each in (other, "public")}
    filled = await _there(stores, one)
    for name in ("api_keys", "idempotency", "instruments", "instrument_names", "holidays", "usage", "redis"):
        assert filled[name] == 1
    assert filled["answers about it"] == 1
    assert filled["clickhouse ticks"] == 3
    assert filled["clickhouse bars"] > 0
    before["public"]["idempotency"] -= 1  # what the operator was answered about it goes, too
    position = landed.newest(redis)

    removed = await erase(stores, secret, one, by)

    assert set((await _there(stores, one)).values()) == {0}
    assert {each: await _there(stores, each) for each in (other, "public")} == before
    assert removed["clickhouse"]["ticks"] == 3
    assert removed["redis"] == {"latest": 1}
    assert await find_key(engine, key[one]) is None
    await _told(redis, position, one)
    await _left(engine, one)
    again = await erase(stores, secret, one, by)  # as after one that was cut short
    assert {count for each in again.values() for count in each.values()} == {0}
    for change in (CreateTenant(one, "again", {}), LimitTenant(one, {"name": "again"})):
        with pytest.raises(Refused):
            await perform(engine, secret, change, by)


async def _told(redis: Redis, position: str, tenant: str) -> None:
    """Who keeps prices hears that they are gone."""
    entries = [each for each in landed.read(redis, position).entries if each.tenant == tenant]
    assert [change for each in entries for change in each.changes] == [landed.Change(NAME, "", None, None)]


async def _left(engine: AsyncEngine, tenant: str) -> None:
    """The tombstone and the audit record know the id, and no name."""
    async with engine.connect() as connection:
        assert (await found(connection, tenant))["erased_at"] is not None
        query = text("SELECT t::text || coalesce(string_agg(a::text, ''), '') FROM tenants t "
                     "LEFT JOIN audit a ON a.tenant = t.id WHERE t.id = :tenant GROUP BY t.*")  # fmt: skip
        kept = (await connection.execute(query, {"tenant": tenant})).scalar_one()
    assert "tenant.erase" in kept
    assert "name that goes" not in kept


async def test_the_public_tenant_cannot_be_erased(settings: Settings, stores: Stores, by: By) -> None:
    with pytest.raises(Refused, match="public cannot be erased"):
        await erase(stores, settings.api.audit_secret.get_secret_value(), "public", by)


async def test_an_export_holds_what_the_tenant_has_and_no_secret(
    settings: Settings, engine: AsyncEngine, redis: Redis, clickhouse: Client, by: By, tmp_path: Path
) -> None:
    tenant = f"t-{uuid4().hex[:12]}"
    key = await _filled(settings, engine, redis, by, tenant)
    exported: dict[str, list[dict[str, Any]]] = {}
    async for row in rows(engine, tenant):
        exported.setdefault(row.kind, []).append(row.values)
    assert set(exported) == {"tenants", "api_keys", "instruments", "instrument_names", "holidays", "usage", "audit"}
    assert [each["id"] for each in exported["api_keys"]] == [key]
    assert "digest" not in json.dumps(exported)
    assert [each["action"] for each in exported["audit"]] == ["tenant.create", "key.create"]
    assert months(clickhouse, tenant) == [202607, 202608]
    path = tmp_path / "ticks.parquet"
    assert write_month(clickhouse, tenant, 202607, path) == 2
    written = pl.read_parquet(path)
    assert written.columns == list(TICKS)
    assert sorted(map(str, written["price"])) == ["1.500000000", "2.500000000"]
    assert not path.with_name("ticks.parquet.part").exists()


async def test_every_place_that_holds_tenants_is_known(engine: AsyncEngine, clickhouse: Client) -> None:
    query = text("SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant' "
                 "AND table_schema = 'public'")  # fmt: skip
    async with engine.connect() as connection:
        assert set((await connection.execute(query)).scalars()) == {*POSTGRES, *KEPT}
    query = """SELECT DISTINCT table FROM system.columns WHERE database = currentDatabase() AND name = 'tenant'
        AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')"""
    assert {row[0] for row in clickhouse.query(query).result_rows} == set(CLICKHOUSE)
