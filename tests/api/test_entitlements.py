"""What a tenant is not entitled to is not there; its own is."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import polars as pl
import pytest

from db.entitlements import Entitlements
from service import clock
from tests.api import fakes
from tests.api.answers import LATEST, data

GAS_ONLY = Entitlements(markets=frozenset({"henry_hub"}))
PAIRS = (
    "/v1/ticks?instrument={}&start=2026-07-01T00:00:00Z",
    "/v1/bars?instrument={}&interval=1h&start=2026-07-01T00:00:00Z",
    "/v1/prices/latest?instrument={}",
    "/v1/prices/latest?instrument={}&as_of=2026-07-02T00:00:00Z",
    "/v1/instruments/{}",
    "/v1/instruments/{}/coverage",
    "/v1/basis?instrument={}&hub=OTHER&start=2026-07-01T00:00:00Z",
)


@pytest.fixture
async def limited(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the tenant `other`, which sees gas alone of what is public, and has a node of its own."""
    async with fakes.client(reads, reads.add_key("other", entitled=GAS_ONLY)) as client:
        yield client


@pytest.mark.parametrize("path", PAIRS)
async def test_what_is_not_entitled_is_as_what_is_not_there(limited: httpx.AsyncClient, path: str) -> None:
    there, nowhere = (
        await limited.get(path.format(fakes.NODE)),
        await limited.get(path.format("caiso.rt_5min.NOWHERE_APND")),
    )
    assert there.status_code == nowhere.status_code == 404
    texts = [answer.json() | {"request_id": ""} for answer in (there, nowhere)]
    texts[0]["detail"] = texts[0]["detail"].replace(fakes.NODE, "caiso.rt_5min.NOWHERE_APND")
    assert texts[0] == texts[1]


async def test_lists_hold_the_own_and_the_entitled(limited: httpx.AsyncClient) -> None:
    names = [row["instrument"] for row in data(await limited.get("/v1/instruments"))]
    assert names == [fakes.GAS, fakes.SECRET_NODE]
    assert [row["instrument"] for row in data(await limited.get(f"{LATEST}?market=caiso"))] == [fakes.SECRET_NODE]


@pytest.mark.parametrize(
    ("entitled", "status"), [(GAS_ONLY, 404), (Entitlements(products=frozenset()), 404), (Entitlements(), 200)]
)
async def test_public_definitions_are_for_those_who_see_all_markets(
    reads: fakes.FakeReads, entitled: Entitlements, status: int
) -> None:
    """They name instruments, which the list of spreads hides from others too."""
    async with fakes.client(reads, reads.add_key("other", "admin", entitled=entitled)) as client:
        answers = [
            (await client.get(f"/v1/admin/reference/spreads?tenant={each}")).status_code for each in ("public", "other")
        ]
    assert answers == [status, 200]


@pytest.mark.parametrize(
    ("entitled", "seen"),
    [
        (Entitlements(products=frozenset({"rt_5min"})), [fakes.NODE]),
        (Entitlements(products=frozenset({"caiso.rt_5min"})), [fakes.NODE]),
        (Entitlements(products=frozenset({"pjm.rt_5min", "tick"})), [fakes.GAS]),
        (Entitlements(markets=frozenset({"caiso"}), products=frozenset({"tick"})), []),
        (Entitlements(markets=frozenset()), []),
        (Entitlements(), [fakes.GAS, fakes.NODE]),
    ],
)
async def test_markets_and_products(reads: fakes.FakeReads, entitled: Entitlements, seen: list[str]) -> None:
    async with fakes.client(reads, reads.add_key("third", entitled=entitled)) as client:
        assert [row["instrument"] for row in data(await client.get("/v1/instruments"))] == seen


async def test_an_own_instrument_of_a_public_ones_name_is_seen_alone(reads: fakes.FakeReads) -> None:
    reads.reference.append(fakes.instrument(fakes.NODE, "other"))
    reads.stored.append(fakes.tick(fakes.NODE, fakes.START, "7", "other"))
    async with fakes.client(reads, reads.add_key("other", entitled=GAS_ONLY)) as client:
        for path in PAIRS[:4]:
            rows = data(await client.get(path.format(fakes.NODE)))
            assert {row["tenant"] for row in rows} <= {"other"}, path
        for _ in range(2):
            assert [row["price"] for row in data(await client.get(PAIRS[2].format(fakes.NODE)))] == [7]


async def test_who_sees_less_does_not_get_the_remembered_page_of_who_sees_more(reads: fakes.FakeReads) -> None:
    state, address = fakes.state(reads), f"{LATEST}?instrument={fakes.NODE}"
    everything, gas = reads.add_key("other"), reads.add_key("other", entitled=GAS_ONLY)
    async with fakes.client(reads, None, state) as client:
        for _ in range(2):
            assert (await client.get(address, headers={"X-API-Key": everything})).status_code == 200
            assert (await client.get(address, headers={"X-API-Key": gas})).status_code == 404


def _days(number: int) -> str:
    return (clock.now() - timedelta(days=number)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/ticks?instrument={fakes.GAS}&start={{}}",
        f"/v1/bars?instrument={fakes.GAS}&interval=1d&start={{}}",
        f"/v1/prices/latest?instrument={fakes.GAS}&as_of={{}}",
        f"/v1/instruments/{fakes.GAS}/coverage?start={{}}",
        f"/v1/basis?instrument={fakes.NODE}&hub={fakes.NODE.replace('NP15', 'SP15')}&start={{}}",
    ],
)
async def test_history_ends_at_a_midnight(reads: fakes.FakeReads, path: str) -> None:
    reads.reference.append(fakes.instrument(fakes.NODE.replace("NP15", "SP15")))
    entitled = Entitlements(history=timedelta(days=10))
    async with fakes.client(reads, reads.add_key("third", entitled=entitled)) as client:
        assert (await client.get(path.format(_days(10)))).status_code == 200
        answer = await client.get(path.format(_days(11)))
        assert (answer.status_code, answer.json()["type"]) == (403, "/docs/errors/history-limit")
        assert "T00:00:00Z on" in answer.json()["detail"]
        without = path.replace("start={}", "").replace("as_of={}", "").rstrip("?&")
        assert (await client.get(without)).status_code == 200, "the default begins where it may"


async def test_own_prices_have_no_end_of_history(reads: fakes.FakeReads) -> None:
    entitled = Entitlements(history=timedelta(days=10))
    async with fakes.client(reads, reads.add_key("other", entitled=entitled)) as client:
        answer = await client.get(f"/v1/ticks?instrument={fakes.SECRET_NODE}&start=2020-01-01T00:00:00Z")
        assert answer.status_code == 200


def _spread(tenant: str, legs: str) -> dict[str, Any]:
    return {
        "tenant": tenant, "spread": "basis.one", "valid_from": None, "valid_to": None, "zone": "UTC", "unit": "USD/MWh",
        "formula": "a - b", "legs": legs, "source": "test",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("markets", "seen"),
    [({"spread"}, False), ({"spread", "caiso"}, True), ({"caiso"}, False), ({"spread", "pjm"}, False)],
)
async def test_a_spread_is_seen_with_all_its_legs(reads: fakes.FakeReads, markets: set[str], seen: bool) -> None:
    legs = f'[{{"instrument":"{fakes.NODE}","weight":"1"}},{{"instrument":"caiso.rt_5min.B","weight":"-1"}}]'
    rows = [_spread("public", legs)]
    reads.tables["spreads"] = pl.DataFrame(rows, schema=reads.tables["spreads"].schema)
    reads.reference.append(fakes.instrument("spread.basis.one") | {"market": "spread", "product": "basis"})
    entitled = Entitlements(markets=frozenset(markets))
    async with fakes.client(reads, reads.add_key("third", entitled=entitled)) as client:
        assert len(data(await client.get("/v1/spreads"))) == seen
        assert len([r for r in data(await client.get("/v1/instruments")) if r["market"] == "spread"]) == seen
        for path in (PAIRS[0], PAIRS[2], "/v1/spreads/explain?instrument={}&start=2026-07-01T00:00:00Z"):
            assert ((await client.get(path.format("spread.basis.one"))).status_code == 404) == (not seen)
