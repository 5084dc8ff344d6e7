"""A page that is remembered is for those alone who may read it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import httpx

from api.state import State
from tests.api import fakes
from tests.api.answers import GAS, LATEST, data


async def test_one_address_of_two_tenants_is_two_pages(caller: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    market = f"{LATEST}?market=caiso"
    for _ in range(3):
        assert [row["tenant"] for row in data(await caller.get(GAS))] == ["public"]
        assert {(row["tenant"], row["price"]) for row in data(await other.get(GAS))} == {
            ("other", 7), ("public", Decimal("104.5")),
        }  # fmt: skip
        assert [row["instrument"] for row in data(await caller.get(market))] == [fakes.NODE]
        assert {row["instrument"] for row in data(await other.get(market))} == {fakes.NODE, fakes.SECRET_NODE}


async def test_what_is_remembered_for_one_tenant_is_404_for_another(
    caller: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    for address in (f"{GAS}&tenant=other", f"{LATEST}?instrument={fakes.SECRET_NODE}"):
        for _ in range(2):
            assert len(data(await other.get(address))) == 1
            assert (await caller.get(address)).status_code == 404


async def test_a_remembered_page_needs_a_key_with_the_scope(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, state: State
) -> None:
    await caller.get(GAS)
    keys = {
        "": (401, "unauthorized"), "gt_live_nonsense": (401, "unauthorized"),
        reads.add_key(scopes=frozenset({"bars:read"})): (403, "scope-missing"),
    }  # fmt: skip
    for key, (status, kind) in keys.items():
        answer = await caller.get(GAS, headers={"X-API-Key": key})
        assert (answer.status_code, answer.json()["type"]) == (status, f"/docs/errors/{kind}")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
    refused = [state.metrics.value("auth_refusals_total", reason=why) for why in ("none", "unknown", "scope")]
    assert refused == [1, 1, 1]


async def test_a_revoked_key_reads_a_remembered_page_for_five_seconds_at_most(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, ticking: fakes.Ticking
) -> None:
    assert (await caller.get(GAS)).status_code == 200
    ((name, stored),) = reads.keys.items()
    reads.keys[name] = replace(stored, revoked_at=datetime(2026, 1, 1, tzinfo=UTC))
    for after, status in ((3.9, 200), (4.1, 401)):
        ticking.now = 1000 + after
        assert (await caller.get(GAS)).status_code == status


async def test_a_cursor_leads_on_from_a_remembered_page(caller: httpx.AsyncClient, other: httpx.AsyncClient) -> None:
    for _ in range(2):
        address: str | None = f"{LATEST}?market=caiso&limit=1"
        seen: list[str] = []
        while address:
            answer = await other.get(address)
            seen += [row["instrument"] for row in data(answer)]
            address = answer.links["next"]["url"] if "next" in answer.links else None
            assert (address is None) == (answer.json()["next"] is None)
            if address:
                assert (await caller.get(address)).status_code == 422, "it belongs to its caller"
        assert seen == [fakes.SECRET_NODE, fakes.NODE]
