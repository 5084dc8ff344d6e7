"""Completeness as the running API tells it, on the real stores."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import polars as pl
import pytest

from db.redis.client import connect as connect_redis
from db.redis.landed import Bounds
from db.redis.latest import write_latest
from local.stack import Stack
from service.settings import Settings
from tests.api import running_api

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)
AUTUMN = datetime(2025, 11, 2, 7, tzinfo=UTC)  # midnight of the day of 25 hours in California


@pytest.fixture(scope="module")
def asked(stack: Stack, settings: Settings) -> Iterator[tuple[httpx.Client, str, str]]:
    """A client of a tenant with a node, of whose 25 hours two are missing, and a stream."""
    tenant, node, gas = f"t-{uuid4().hex[:10]}", f"caiso.da_hourly.NODE_{uuid4().hex[:6]}", f"GAS/{uuid4().hex[:6]}"
    spans = [("1.5", AUTUMN + n * HOUR, AUTUMN + (n + 1) * HOUR) for n in range(25) if n not in (3, 4)]
    stream = running_api.ticks(tenant, gas, ["3.1", "3.2", "3.3"], AUTUMN)
    candidates = running_api.stored(settings, pl.concat([running_api.day_ahead(tenant, node, spans), stream]))
    redis = connect_redis(settings.redis.url.get_secret_value())
    write_latest(redis, candidates, Bounds(3600, 1000))
    redis.close()
    named = ((node, "caiso", "da_hourly"), (gas, "henry_hub", "tick"))
    key = asyncio.run(running_api.access(settings, tenant, *named))
    with running_api.serving(stack) as url, httpx.Client(base_url=url, headers={"X-API-Key": key}) as client:
        yield client, node, gas


def _json(client: httpx.Client, address: str) -> dict[str, Any]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_gaps_of_a_day_of_25_hours(asked: tuple[httpx.Client, str, str]) -> None:
    client, node, _ = asked
    body = _json(client, f"/v1/instruments/{node}/coverage?start=2025-11-02T07:00:00Z&end=2025-11-03T08:00:00Z")
    assert (body["expected"], body["present"], body["missing"], body["zone"]) == (25, 23, 2, "America/Los_Angeles")
    assert body["gaps"] == [{"start": "2025-11-02T10:00:00Z", "end": "2025-11-02T12:00:00Z", "missing": 2}]
    assert body["days"] == [{"day": "2025-11-02", "expected": 25, "present": 23, "missing": 2, "complete": False}]
    assert (body["first"], body["last"]) == ("2025-11-02T07:00:00Z", "2025-11-03T07:00:00Z")
    assert body["freshness"]["interval_start"] == "2025-11-03T07:00:00Z"
    assert body["freshness"]["status"] == "stale"
    assert _json(client, f"/v1/instruments/{node}")["last_seen"] == "2025-11-02T07:00:00Z"


def test_a_stream_whose_id_has_a_slash(asked: tuple[httpx.Client, str, str]) -> None:
    client, _, gas = asked
    body = _json(client, f"/v1/instruments/{gas}/coverage?start=2025-11-02T00:00:00Z&end=2025-11-03T00:00:00Z")
    assert (body["instrument"], body["present"], body["expected"], body["gaps"]) == (gas, 3, None, None)
    assert (body["first"], body["last"]) == ("2025-11-02T07:00:00Z", "2025-11-02T07:01:00Z")
