"""The API as it runs, on the real stores: what was stored comes back, through the client."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import httpx
import polars as pl
import pytest

from db.redis import generation
from db.redis.client import connect as connect_redis
from db.redis.landed import Bounds
from db.redis.latest import write_latest
from gridtick.client import Client, NotFound, Unauthorized
from local.stack import Stack
from service import apikey, clock
from service.settings import Settings
from tests.api import running_api

pytestmark = pytest.mark.stack
START = datetime(2026, 7, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Running:
    """An API process, a tenant with stored ticks, and that tenant's key."""

    url: str
    key: str
    instrument: str
    node: str
    ahead: str
    candidates: pl.DataFrame


@pytest.fixture(scope="module")
def running(stack: Stack, settings: Settings) -> Iterator[Running]:
    tenant, name = f"t-{uuid4().hex[:10]}", f"GAS_{uuid4().hex[:6]}"
    node, ahead, now = f"caiso.da_hourly.NODE_{uuid4().hex[:6]}", f"AHEAD_{uuid4().hex[:6]}", clock.now()
    ticks = [
        running_api.ticks(tenant, name, ["3.1", "-2.123456789", "3.3"], START),
        _day_ahead(tenant, node, now),
        running_api.ticks(tenant, ahead, ["1", "2"], now - timedelta(minutes=5)),
        running_api.ticks(tenant, ahead, ["3"], now + timedelta(days=1)),
    ]
    candidates = running_api.stored(settings, pl.concat(ticks))
    named = ((name, "henry_hub", "tick"), (node, "caiso", "da_hourly"), (ahead, "henry_hub", "tick"))
    key = asyncio.run(running_api.access(settings, tenant, *named))
    with running_api.serving(stack) as url:
        yield Running(url, key, name, node, ahead, candidates)


def _day_ahead(tenant: str, name: str, at: datetime) -> pl.DataFrame:
    """The hour before (10), the hour of the instant (20) and the one after (30)."""
    hour, an_hour = at.replace(minute=0, second=0, microsecond=0), timedelta(hours=1)
    spans = [(str(10 * n), hour + (n - 2) * an_hour, hour + (n - 1) * an_hour) for n in (1, 2, 3)]
    return running_api.day_ahead(tenant, name, spans)


def test_ticks_come_back_exactly_page_by_page(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtick.client.http.PAGE", 2)
    with Client(running.url, running.key) as client:
        rows = list(client.ticks(running.instrument, start=START))
    assert [row["price"] for row in rows] == [Decimal("3.1"), Decimal("-2.123456789"), Decimal("3.3")]
    assert rows[1]["interval_start"] == "2026-07-01T12:00:30Z"
    assert (rows[0]["unit"], rows[0]["flags"]) == ("USD/MMBtu", ["VALID", "MISSING_METADATA"])


def test_bars_of_every_interval(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtick.client.http.PAGE", 1)
    with Client(running.url, running.key) as client:
        minutes = list(client.bars(running.instrument, interval="1m", start=START))
        others = {each: list(client.bars(running.instrument, interval=each, start=START - timedelta(days=1)))
                  for each in ("5m", "15m", "1h", "1d")}  # fmt: skip
    assert [(row["open"], row["close"], row["count"]) for row in minutes] == [
        (Decimal("3.1"), Decimal("-2.123456789"), 2), (Decimal("3.3"), Decimal("3.3"), 1),
    ]  # fmt: skip
    for bars in others.values():
        (bar,) = bars
        assert (bar["high"], bar["low"], bar["volume"]) == (Decimal("3.3"), Decimal("-2.123456789"), 6)


def test_latest_is_the_same_from_the_register_and_from_clickhouse(running: Running, settings: Settings) -> None:
    redis = connect_redis(settings.redis.url.get_secret_value())
    redis.delete(generation.KEY)
    with Client(running.url, running.key) as client:
        (stored,) = client.latest(running.instrument)
        write_latest(redis, running.candidates, Bounds(3600, 1000))
        token = generation.begin(redis)
        assert token
        assert generation.finish(redis, token)
        (registered,) = client.latest(running.instrument)
        (in_force,) = client.latest(running.instrument, mode="in_force")
    redis.close()
    for row in (stored, registered, in_force):
        assert row["price"] == Decimal("3.3")
        assert row["status"] == "stale"
        del row["age_seconds"]  # type: ignore[misc]
    assert stored == registered == in_force | {"mode": "newest"}


def test_a_day_ahead_product_shows_the_price_of_this_hour(running: Running) -> None:
    with Client(running.url, running.key) as client:
        (shown,) = client.latest(running.node)
        (in_force,) = client.latest(running.node, mode="in_force")
        (newest,) = client.latest(running.node, mode="newest")
    assert (shown["price"], shown["mode"]) == (Decimal(20), "in_force")
    assert shown["price"] == in_force["price"]
    assert (newest["price"], newest["mode"]) == (Decimal(30), "newest")


def test_of_a_stream_the_price_in_force_is_the_newest_that_has_begun(running: Running) -> None:
    with Client(running.url, running.key) as client:
        (in_force,) = client.latest(running.ahead, mode="in_force")
        (newest,) = client.latest(running.ahead)
    assert (in_force["price"], in_force["mode"]) == (Decimal(2), "in_force")
    assert (newest["price"], newest["mode"], newest["status"]) == (Decimal(3), "newest", "stale")


def test_what_no_name_holds_is_refused_before_the_stores(running: Running) -> None:
    for address in ("instruments?q=", "instruments?location=", "prices/latest?instrument=", "ticks?instrument="):
        answer = httpx.get(f"{running.url}/v1/{address}a%00", headers={"X-API-Key": running.key})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_head_is_get_without_a_body(running: Running) -> None:
    with httpx.Client(base_url=running.url, headers={"X-API-Key": running.key}) as client:
        for address in ("/v1/me", "/healthz", "/v1/nothing"):
            get, head = client.get(address), client.head(address)
            assert (head.status_code, head.content) == (get.status_code, b"")
            assert head.headers["content-length"] == str(len(get.content))


def test_a_websocket_is_refused_as_a_problem(running: Running) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    for address, status in (("/v1/nothing", 404), ("/v1/me", 404), ("/v1/stream?ticket=x", 401)):
        answer = httpx.get(f"{running.url}{address}", headers=upgrade)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_instruments_and_caller(running: Running) -> None:
    with Client(running.url, running.key) as client:
        (found,) = client.instruments(q=running.instrument)
        assert found["complete"] is False
        assert client.me()["readable_tenants"][1] == "public"
        with pytest.raises(NotFound):
            list(client.ticks("NOT_THERE"))
    with Client(running.url, apikey.make().text()) as stranger, pytest.raises(Unauthorized):
        stranger.me()


def test_a_bad_setting_stops_the_start_with_a_sentence(stack: Stack) -> None:
    environ = {**os.environ, **stack.environ, "DATA_PROC_API_CURSOR_SECRET": ""}
    done = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=running_api.ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "DATA_PROC_API_CURSOR_SECRET is empty" in done.stderr
    assert "Traceback" not in done.stderr
