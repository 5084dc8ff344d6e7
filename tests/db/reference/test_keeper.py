"""The snapshot of a process: as new as PostgreSQL, from Redis where it is there, going on while either is away."""

import time
from datetime import UTC, datetime

import polars as pl
import pytest
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import make_engine
from db.postgres.reference import register_instruments
from db.redis import reference as blobs
from db.redis.client import connect_async
from db.reference import keeper, snapshot
from db.reference.keeper import LOOK_S, Keeper
from db.reference.loading import load
from pipeline.errors import DataProcessingError
from pipeline.reference.reading import read
from tests.api.fakes import Ticking

pytestmark = pytest.mark.stack
NOWHERE = "127.0.0.1:9"  # the port of `discard`, on which nothing listens


async def add(engine: AsyncEngine, tenant: str, location: str) -> None:
    content = f"market,location,kind,source\npjm,{location},node,s\n".encode()
    await load(engine, [read(content, tenant=tenant)], lambda: ())


def places(found: snapshot.Snapshot, tenant: str) -> list[str]:
    return found.tables["locations"].filter(pl.col("tenant") == tenant)["location"].to_list()


async def test_a_change_is_seen_after_a_second_or_at_once_where_it_is_asked_for(
    engine: AsyncEngine, redis: Redis, tenant: str
) -> None:
    ticking = Ticking()
    kept = Keeper(engine, redis, ticking)
    assert places(await kept.current(), tenant) == []
    await add(engine, tenant, "A")
    assert places(await kept.current(), tenant) == []
    ticking.now += LOOK_S
    assert places(await kept.current(), tenant) == ["A"]
    await add(engine, tenant, "B")
    assert places(await kept.current(), tenant) == ["A"]
    ticking.now += 0.01
    assert places(await kept.current(fresh=True), tenant) == ["A", "B"]
    assert kept.state().reason is None


async def test_of_two_processes_one_reads_and_the_other_takes_it_from_redis(
    engine: AsyncEngine, redis: Redis, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(engine, tenant, "A")
    first = await Keeper(engine, redis, time.monotonic).current()

    async def refuse(*_: object) -> snapshot.Snapshot:
        raise AssertionError("PostgreSQL is read again")

    monkeypatch.setattr(snapshot, "read", refuse)
    second = await Keeper(engine, redis, time.monotonic).current()
    assert second.versions == first.versions
    assert {name: each.schema for name, each in second.tables.items()} == {
        name: each.schema for name, each in first.tables.items()
    }
    assert all(second.tables[name].equals(first.tables[name]) for name in first.tables)


async def test_the_last_snapshot_goes_on_while_postgresql_is_away(
    engine: AsyncEngine, redis: Redis, tenant: str
) -> None:
    await add(engine, tenant, "A")
    ticking = Ticking()
    away = make_engine(f"postgresql://nobody:x@{NOWHERE}/nothing", pooled=False)
    await Keeper(engine, redis, time.monotonic).current(fresh=True)
    started = Keeper(away, redis, ticking)
    assert places(await started.current(), tenant) == ["A"], "a process that starts takes the newest of Redis"
    ticking.now += 60
    assert places(await started.current(), tenant) == ["A"]
    assert "PostgreSQL does not answer" in str(started.state().reason)
    nothing = Keeper(away, connect_async(f"redis://{NOWHERE}"), ticking)
    with pytest.raises((OSError, SQLAlchemyError)):
        await nothing.current()
    assert nothing.state().version is None


async def test_without_redis_postgresql_is_read_and_that_is_said(
    engine: AsyncEngine, redis: Redis, tenant: str
) -> None:
    await add(engine, tenant, "A")
    alone = Keeper(engine, connect_async(f"redis://{NOWHERE}"), time.monotonic)
    assert places(await alone.current(), tenant) == ["A"]
    assert "Redis" in str(alone.state().reason)
    assert not await keeper.publish(engine, connect_async(f"redis://{NOWHERE}"))
    assert await keeper.publish(engine, redis)


@pytest.mark.parametrize("spoilt", [b"", b"x", b"\x93\x01\x01\x80"])
async def test_what_another_program_left_in_redis_is_read_anew(
    engine: AsyncEngine, redis: Redis, spoilt: bytes
) -> None:
    version = (await snapshot.read_versions(engine)).all
    await blobs.put(redis, version, spoilt)
    with pytest.raises(DataProcessingError):
        snapshot.from_bytes(spoilt)
    kept = Keeper(engine, redis, time.monotonic)
    assert (await kept.current()).tables["holidays"].height > 0


async def test_a_new_instrument_moves_the_version_and_leaves_the_tables(engine: AsyncEngine, tenant: str) -> None:
    first = await snapshot.read(engine)
    row = {
        "tenant": tenant,
        "instrument": "X",
        "market": "m",
        "product": "tick",
        "first_seen": datetime(2026, 1, 1, tzinfo=UTC),
    }
    await register_instruments(engine, pl.DataFrame([row]))
    second = await snapshot.read(engine, first)
    assert second.version > first.version
    assert second.tables_version == first.tables_version
    assert second.tables["holidays"] is first.tables["holidays"]
    assert "X" in second.tables["instruments"].filter(tenant=tenant)["instrument"]
