"""Markets and products: those of the registry and of single prices, as far as the caller sees them."""

from datetime import timedelta
from typing import Any

import httpx
import polars as pl
import pytest

from api.markets import markets
from db.entitlements import Entitlements
from db.visible import Visible
from pipeline import products
from pipeline.schema import REFERENCE
from tests.api import fakes
from tests.api.answers import data


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["market"]: row for row in rows}


async def test_the_registry_and_how_many_instruments_there_are(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    reads.reference += [fakes.instrument("X", market="isone", product="tick")]
    found = by_name(data(await http.get("/v1/markets")))
    assert list(found) == sorted({*products.MARKETS, "isone"})
    caiso = found["caiso"]
    assert {name: caiso[name] for name in ("zone", "unit", "currency", "instruments")} == {
        "zone": "America/Los_Angeles", "unit": "USD/MWh", "currency": "USD", "instruments": 1,
    }  # fmt: skip
    by_product = {each["product"]: each for each in caiso["products"]}
    assert list(by_product) == ["da_hourly", "hasp_15min", "rt_15min", "rt_5min"]
    assert by_product["rt_5min"] == {
        "product": "rt_5min", "instruments": 1, "interval": "5m", "finest": "5m", "day_zone": "America/Los_Angeles",
        "cadence_seconds": 300, "due_seconds": 0, "lateness_seconds": 1800, "grace_seconds": 300, "forward": False,
        "reason": None,
    }  # fmt: skip
    day = by_product["da_hourly"]
    assert (day["instruments"], day["due_seconds"], day["forward"]) == (0, -11 * 3600, True)
    (stream,) = found["isone"]["products"]
    assert (stream["product"], stream["instruments"], stream["finest"], stream["due_seconds"]) == (
        "tick",
        1,
        "1m",
        None,
    )
    assert "stream of single prices" in stream["reason"]


async def test_pages_go_on(http: httpx.AsyncClient) -> None:
    first = (await http.get("/v1/markets?limit=2")).json()
    assert [each["market"] for each in first["data"]] == ["caiso", "ercot"]
    second = (await http.get("/v1/markets", params={"limit": 100, "cursor": first["next"]})).json()
    assert (second["data"][0]["market"], second["next"]) == ("henry_hub", None)


async def test_own_instruments_count_and_those_of_others_do_not(reads: fakes.FakeReads) -> None:
    async with fakes.client(reads, reads.add_key("other")) as client:
        both = by_name(data(await client.get("/v1/markets")))
        own = by_name(data(await client.get("/v1/markets?tenant=other")))
    assert both["caiso"]["instruments"] == 2
    assert [(each["product"], each["instruments"]) for each in own["caiso"]["products"]] == [("rt_5min", 1)]
    assert list(own) == ["caiso"], "without the public ones there is what it has"


def test_what_a_tenant_is_not_entitled_to_is_not_there() -> None:
    rows = [fakes.instrument(fakes.NODE), fakes.instrument("caiso.da_hourly.X"), fakes.instrument("pjm.da_hourly.1")]
    rows[2] |= {"market": "pjm", "product": "da_hourly"}
    own = fakes.instrument("A", "mine", market="pjm", product="tick")
    entitled = Entitlements(frozenset({"caiso"}), frozenset({"rt_5min"}), timedelta(days=1))
    found = markets(pl.DataFrame([*rows, own], schema=dict(REFERENCE)), Visible(("mine", "public"), entitled))
    seen = {each["market"]: [(of["product"], of["instruments"]) for of in each["products"]] for each in found}
    assert seen == {"caiso": [("rt_5min", 1)], "pjm": [("tick", 1)]}


@pytest.mark.parametrize(("ask", "status"), [("?q=x", 422), ("?limit=0", 422), ("?tenant=other", 404)])
async def test_what_is_refused(http: httpx.AsyncClient, ask: str, status: int) -> None:
    assert (await http.get(f"/v1/markets{ask}")).status_code == status


async def test_it_takes_the_scope_of_prices(reads: fakes.FakeReads) -> None:
    async with fakes.client(reads, reads.add_key(scopes=frozenset({"bars:read"}))) as client:
        assert (await client.get("/v1/markets")).status_code == 403
