"""The reads of explanations and of the status, over the real stores."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from clickhouse_connect.driver.client import Client

from api.reads.away import Watch
from api.reads.known import Connections
from api.reads.status import StatusReads
from db.clickhouse.client import connect, connect_async
from db.postgres.engine import make_engine
from db.postgres.ledger import LandedRange, append_ledger
from db.redis.client import connect_async as connect_redis
from db.redis.landed import Bounds
from service import clock
from service.metrics import Metrics
from service.settings import Settings
from tests.db.clickhouse.rows import DAY, document, fresh_tenant, generic, land

pytestmark = pytest.mark.stack
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
async def stores(settings: Settings) -> AsyncIterator[tuple[Client, StatusReads]]:
    clickhouse, blocking = await connect_async(settings.clickhouse), connect(settings.clickhouse)
    postgres = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    redis = connect_redis(settings.redis.url.get_secret_value())
    made = Connections(
        clickhouse, blocking, postgres, redis, Watch(Metrics("api")), topics=(), landed=Bounds(60, 100), broker=redis,
        audit_secret=settings.api.audit_secret.get_secret_value(), peppers=settings.api.peppers, kafka=settings.kafka,
    )  # fmt: skip
    try:
        yield blocking, StatusReads(made)
    finally:
        await clickhouse.close()
        blocking.close()
        await redis.aclose()
        await postgres.dispose()


@pytest.mark.parametrize(("most", "listed", "whole"), [(10, 10, True), (9, 9, False), (4, 4, False), (2, 1, False)])
async def test_publications_are_bounded(
    stores: tuple[Client, StatusReads], most: int, listed: int, whole: bool
) -> None:
    """Ten, of nine prices a second apart; the second one came twice."""
    client, reads = stores
    tenant, at = fresh_tenant(), DAY + 9 * HOUR
    rows = [generic(tenant, at + timedelta(seconds=n), "1", event_id=str(n), offset=n) for n in range(9)]
    land(client, [*rows, rows[1] | {"known_at": at + HOUR, "offset": 20}])
    found = await reads.bar_publications(tenant, "POWER", at, at + MINUTE, None, most)
    assert (found.rows.height, found.total, found.whole) == (listed, 10, whole)
    bar, rule = await reads.stored_bar(tenant, "POWER", "1m", at, at + MINUTE)
    assert (bar["count"].to_list(), rule) == ([9], 1)
    assert (await reads.stored_bar(tenant, "POWER", "1m", at + MINUTE, at + 2 * MINUTE))[1] is None


async def test_instruments_with_a_price_lately(stores: tuple[Client, StatusReads]) -> None:
    """Days as of nine days after; one whose only price does not bind is none."""
    client, reads = stores
    tenant, other = fresh_tenant(), fresh_tenant()
    old = document(tenant, DAY, "1", instrument="caiso.rt_5min.OLD", known_at=DAY)
    newer = [document(tenant, DAY + n * timedelta(days=1), "1", known_at=DAY, offset=n) for n in (3, 4)]
    advisory = document(tenant, DAY + 4 * timedelta(days=1), "1", flags=64, instrument="caiso.rt_5min.A", known_at=DAY)
    land(client, [old, *newer, advisory, newer[1] | {"tenant": other, "instrument": "caiso.rt_5min.O"}])
    found = await reads.active(tenant, DAY + timedelta(days=9))
    assert found.rows() == [("caiso.rt_5min.NODE", DAY + timedelta(days=4))]


async def test_tasks_that_wait_are_counted_by_their_queue(
    stores: tuple[Client, StatusReads], settings: Settings
) -> None:
    _, reads = stores
    redis = connect_redis(settings.redis.url.get_secret_value())
    before = dict(await reads.queued())
    await redis.rpush("normalize", "a", "b")
    try:
        assert await reads.queued() == before | {"normalize": before["normalize"] + 2}
    finally:
        await redis.ltrim("normalize", 0, -3)
        await redis.aclose()


async def test_dead_letters_are_counted_as_they_landed(stores: tuple[Client, StatusReads], settings: Settings) -> None:
    _, reads = stores
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    began = clock.now() - timedelta(seconds=5)
    before = await reads.dead_letters(began)
    ranges = [LandedRange("t", uuid4().hex, 0, n, n + 1, 1, 0, 0, dead, 0, "b") for n, dead in enumerate([0, 3, 2])]
    await append_ledger(engine, ranges)
    await engine.dispose()
    assert await reads.dead_letters(began) == (before.total + 5, before.lately + 5)
    assert await reads.dead_letters(clock.now() + timedelta(seconds=5)) == (before.total + 5, 0)
