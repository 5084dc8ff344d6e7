"""Latest prices as the API keeps them, on the real stores: what lands is shown, and never goes back."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import httpx
import polars as pl
import pytest
from redis import Redis

from api.latest.kept import CONFIRMED_S
from db.clickhouse.client import connect
from db.clickhouse.latest import latest_all
from db.redis import generation
from db.redis.client import connect as connect_redis
from db.redis.landed import Bounds
from db.redis.latest import write_latest
from local.stack import REDIS, Stack
from service import clock
from service.settings import Settings
from tests.api import running_api
from tests.polling import until

pytestmark = pytest.mark.stack
START: Final = datetime(2026, 7, 1, 12, tzinfo=UTC)
MOMENT_S: Final = 5.0  # on a machine that does other things too
BOUNDS: Final = Bounds(3600, 1000)


class Live:
    """An API over a Redis database of its own, a tenant, and what the API has answered so far."""

    def __init__(self, settings: Settings, redis: Redis, client: httpx.Client) -> None:
        self.tenant = f"t-{uuid4().hex[:10]}"
        self.gas, self.node = f"GAS_{uuid4().hex[:6]}", f"caiso.da_hourly.NODE_{uuid4().hex[:6]}"
        self.shown: list[Decimal] = []
        self.redis = redis
        self._settings = settings
        self._client = client
        named = ((self.gas, "henry_hub", "tick"), (self.node, "caiso", "da_hourly"))
        client.headers["X-API-Key"] = asyncio.run(running_api.access(settings, self.tenant, *named))

    def land(self, ticks: pl.DataFrame) -> None:
        write_latest(self.redis, running_api.stored(self._settings, ticks), BOUNDS)

    def land_gas(self, number: int) -> None:
        start = START + timedelta(minutes=number)
        self.land(running_api.ticks(self.tenant, self.gas, [str(number)], start))

    def latest(self, name: str) -> list[dict[str, Any]]:
        answer = self._client.get("/v1/prices/latest", params={"instrument": name})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content, parse_float=Decimal, parse_int=Decimal)["data"]

    def price(self) -> Decimal:
        (row,) = self.latest(self.gas)
        self.shown.append(row["price"])
        return row["price"]

    def reads(self, ask: Callable[[], object]) -> int:
        """How often the API reads the register while it is asked."""
        before = self._register_reads()
        ask()
        return self._register_reads() - before

    def until_kept(self) -> None:
        until(lambda: self.reads(lambda: [self.price() for _ in range(5)]) == 0, MOMENT_S, "prices are kept")

    def rebuild(self) -> None:
        """As the task `rebuild` does it."""
        token = generation.begin(self.redis)
        assert token is not None
        clickhouse = connect(self._settings.clickhouse)
        write_latest(self.redis, latest_all(clickhouse), BOUNDS)
        clickhouse.close()
        assert generation.finish(self.redis, token)

    def _register_reads(self) -> int:
        said: Any = self.redis.info("commandstats")
        return said.get("cmdstat_hmget", {"calls": 0})["calls"]


@pytest.fixture(scope="module")
def live(stack: Stack, settings: Settings) -> Iterator[Live]:
    url = settings.redis.url.get_secret_value().rpartition("/")[0] + "/3"
    redis = connect_redis(url)
    with running_api.serving(stack, None, **{REDIS: url}) as address, httpx.Client(base_url=address) as client:
        yield Live(settings, redis, client)
    redis.flushdb()
    redis.close()


def test_what_lands_is_shown_within_a_moment_and_never_goes_back(live: Live) -> None:
    live.land_gas(1)
    assert live.price() == 1, "without a whole register, too"
    live.rebuild()
    for number in range(2, 7):
        live.until_kept()
        live.land_gas(number)
        until(lambda number=number: live.price() == number, MOMENT_S, f"{number} is shown")
    assert live.shown == sorted(live.shown)


def test_a_price_in_force_changes_over_at_its_end(live: Live) -> None:
    began, second = clock.now(), timedelta(seconds=1)
    spans = [(f"{n}.000000001", began + n * second, began + (n + 1) * second) for n in range(120)]
    live.land(running_api.day_ahead(live.tenant, live.node, spans))
    seen: list[int] = []

    def ask() -> None:
        sent = (clock.now() - began) // second
        (row,) = live.latest(live.node)
        assert row["mode"] == "in_force"
        seen.append(int(row["price"]))
        assert row["price"] - seen[-1] == Decimal("0.000000001")
        assert sent <= seen[-1] <= (clock.now() - began) // second

    reads = live.reads(lambda: until(lambda: ask() or len(set(seen)) == 4, 20, "three have changed over"))
    assert len(seen) > 2 * reads, "they are kept in between"


def test_an_emptied_redis_changes_no_answer(live: Live) -> None:
    live.redis.flushdb()
    live.land_gas(10)
    live.rebuild()
    live.until_kept()
    live.redis.flushdb()
    began = time.monotonic()
    while time.monotonic() < began + 1.5 * CONFIRMED_S:
        assert live.price() == 10
    live.land_gas(11)
    until(lambda: live.price() == 11, MOMENT_S, "11 is shown")
    live.rebuild()
    live.until_kept()
    live.land_gas(12)
    until(lambda: live.price() == 12, MOMENT_S, "12 is shown")
    assert live.shown == sorted(live.shown)
