"""The working behind a bar, markets and the status, from the API as it runs on the real stores."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid4

import httpx
import polars as pl
import pytest

from db.postgres.engine import make_engine
from db.postgres.ledger import LandedRange, append_ledger
from db.postgres.reference import register_instruments
from db.redis.client import connect as connect_redis
from db.redis.landed import Bounds
from db.redis.latest import write_latest
from gridtick.client import Client, NotFound
from local.stack import Stack
from pipeline.schema import PUBLIC
from service import clock
from service.settings import Settings
from tests.api import running_api
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import document, frame, generic

pytestmark = pytest.mark.stack
MIDNIGHT = datetime(2026, 7, 1, 7, tzinfo=UTC)  # in California
HOUR = timedelta(hours=1)


class Running(NamedTuple):
    """An API process, a tenant's day of a node, of which one hour is corrected, and a public stream of a market."""

    url: str
    key: str
    node: str
    market: str
    topic_id: str


@pytest.fixture(scope="module")
def running(stack: Stack, settings: Settings) -> Iterator[Running]:
    tenant, mark = f"t-{uuid4().hex[:10]}", uuid4().hex[:6]
    node, market, topic_id = f"caiso.da_hourly.N_{mark}", f"m{mark}", uuid4().hex
    now = clock.now().replace(microsecond=0)
    stream = generic(PUBLIC, now, "7", instrument=f"X_{mark}", market=market, topic_id=topic_id, partition=2, offset=41)
    _keep(settings, [*_day(tenant, node, topic_id), stream])
    key = asyncio.run(running_api.access(settings, tenant, (node, "caiso", "da_hourly")))
    asyncio.run(_noted(settings, stream, topic_id))
    with running_api.serving(stack) as url:
        yield Running(url, key, node, market, topic_id)


def _keep(settings: Settings, rows: list[Row]) -> None:
    redis = connect_redis(settings.redis.url.get_secret_value())
    write_latest(redis, running_api.stored(settings, frame(rows)), Bounds(3600, 1000))
    redis.close()


async def _noted(settings: Settings, stream: Row, topic_id: str) -> None:
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    names = ("tenant", "instrument", "market", "product")
    row = {name: stream[name] for name in names} | {"first_seen": stream["known_at"]}
    await register_instruments(engine, pl.DataFrame([row]))
    known_us = clock.to_us(stream["known_at"])
    ranges = [LandedRange("prices.raw", topic_id, n, 0, 100, 100, 1, 0, 0, known_us, "b") for n in (0, 2)]
    await append_ledger(engine, ranges)
    await engine.dispose()


def _day(tenant: str, name: str, topic_id: str) -> list[Row]:
    shape = {"instrument": name, "product": "da_hourly", "location": name.split(".")[2], "topic_id": topic_id}
    known = MIDNIGHT - 12 * HOUR
    rows = [
        document(tenant, MIDNIGHT + n * HOUR, str(n), minutes=60, known_at=known, offset=50, **shape | {"row": n + 1})
        for n in range(24)
    ]
    return [*rows, rows[5] | {"price": Decimal("-0.5"), "known_at": known + HOUR, "offset": 51}]


def test_a_day_is_explained_now_and_then(running: Running) -> None:
    with Client(running.url, running.key) as client:
        now = client.explain(running.node, "1d", MIDNIGHT)
        then = client.explain(running.node, "1d", MIDNIGHT, as_of=MIDNIGHT - 12 * HOUR)
        (bar,) = client.bars(running.node, interval="1d", start=MIDNIGHT)
    assert now["bar"] == bar
    assert (now["agrees"], now["rule_version"], now["bar"]["revision"], now["publication_count"]) == (True, 1, 1, 25)
    assert (then["agrees"], then["bar"]["revision"], then["publication_count"]) == (True, 0, 24)
    hours = sum(each["price"] * (each["seconds"] or 0) for each in now["prices"])
    seconds = sum(each["seconds"] or 0 for each in now["prices"])
    assert round(hours / seconds, 9) == bar["twap"]
    last = now["publications"][-1]
    assert (last["topic"], last["topic_id"], last["offset"], last["row"]) == ("prices.raw", running.topic_id, 51, 6)
    assert (last["revision"], last["counts"], last["parser_version"] > 0) == ("changed", True, True)
    assert [each["why"] for each in now["publications"] if not each["counts"]] == ["superseded"]


def test_what_has_no_bar_is_not_found(running: Running) -> None:
    with Client(running.url, running.key) as client, pytest.raises(NotFound, match="none of its prices counts"):
        client.explain(running.node, "1h", MIDNIGHT - 2 * HOUR)


def test_markets_count_instruments(running: Running) -> None:
    with Client(running.url, running.key) as client:
        found = {each["market"]: each for each in client.markets()}
        own = {each["market"]: each for each in client.markets(tenant=client.me()["tenant"])}
    assert found[running.market]["instruments"] == 1
    assert [(each["product"], each["instruments"]) for each in own["caiso"]["products"]] == [("da_hourly", 1)]
    assert running.market not in own


def test_the_status_needs_no_key_and_tells_of_public_prices_alone(running: Running) -> None:
    answer = httpx.get(f"{running.url}/v1/status")
    assert answer.status_code == 200, answer.text
    (found,) = [each for each in answer.json()["products"] if each["market"] == running.market]
    assert (found["product"], found["status"]) == ("tick", "live")
    assert found["queryable_at"] is not None
    assert running.node not in answer.text
