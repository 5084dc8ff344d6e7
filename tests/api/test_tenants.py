"""Tenants over REST: who sees and changes them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.state import State
from tests.api import fakes

TENANTS = "/v1/admin/tenants"


@pytest.fixture
async def operator(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    async with fakes.client(reads, reads.add_key(role="admin")) as client:
        yield client


@pytest.fixture
async def acme(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of the tenant `acme`."""
    async with fakes.client(reads, reads.add_key("acme", "admin")) as client:
        yield client


async def test_the_operator_makes_limits_suspends_and_resumes(
    reads: fakes.FakeReads, operator: httpx.AsyncClient
) -> None:
    made = await operator.post(TENANTS, json={"id": "beta", "name": "Beta", "markets": ["ercot", "caiso", "ercot"]})
    assert made.status_code == 201
    assert (made.json()["markets"], made.json()["products"]) == (["caiso", "ercot"], None)
    limited = await operator.patch(f"{TENANTS}/beta", json={"products": ["caiso.rt_5min"], "markets": None})
    assert (limited.json()["markets"], limited.json()["products"]) == (None, ["caiso.rt_5min"])
    assert (await operator.post(f"{TENANTS}/beta/suspend")).json()["suspended_at"] is not None
    assert (await operator.post(f"{TENANTS}/beta/resume")).json()["suspended_at"] is None
    actions = [change.action for change, _ in reads.changes]
    assert actions == ["tenant.create", "tenant.limit", "tenant.suspend", "tenant.resume"]


async def test_what_is_not_given_stays(operator: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    reads.tenants["acme"]["rows_per_day"] = 5
    changed = await operator.patch(f"{TENANTS}/acme", json={"requests_per_minute": 7})
    assert (changed.json()["rows_per_day"], changed.json()["requests_per_minute"]) == (5, 7)


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"id": "Beta", "name": "b"}, "id"),
        ({"id": "b" * 64, "name": "b"}, "id"),
        ({"id": "beta"}, "name"),
        ({"id": "beta", "name": "b", "markets": ["MISO"]}, "markets.0"),
        ({"id": "beta", "name": "b", "products": ["a.b.c"]}, "products.0"),
        ({"id": "beta", "name": "b", "history_days": 0}, "history_days"),
        ({"id": "beta", "name": "b", "rows_per_day": 1.5}, "rows_per_day"),
        ({"id": "beta", "name": "b", "requests_per_minute": "9"}, "requests_per_minute"),
    ],
)
async def test_a_tenant_is_read_strictly(operator: httpx.AsyncClient, body: dict[str, Any], parameter: str) -> None:
    answer = await operator.post(TENANTS, json=body)
    assert answer.status_code == 422
    assert [each["parameter"] for each in answer.json()["errors"]] == [parameter]


@pytest.mark.parametrize("body", [{}, {"name": None}, {"id": "beta"}])
async def test_a_change_says_what_changes(operator: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await operator.patch(f"{TENANTS}/acme", json=body)).status_code == 422


async def test_a_body_that_is_no_json_is_told(operator: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await operator.post(TENANTS, content=b"{nope", headers=headers)
    assert [each["parameter"] for each in answer.json()["errors"]] == ["body"]
    assert (await operator.post(TENANTS)).json()["errors"][0]["parameter"] == "body"


async def test_a_tenant_sees_itself_and_changes_nothing(reads: fakes.FakeReads, acme: httpx.AsyncClient) -> None:
    assert [each["id"] for each in (await acme.get(TENANTS)).json()["data"]] == ["acme"]
    assert (await acme.get(f"{TENANTS}/acme")).json()["id"] == "acme"
    tried = [
        await acme.post(TENANTS, json={"id": "beta", "name": "Beta"}),
        await acme.patch(f"{TENANTS}/acme", json={"markets": None}),
        await acme.post(f"{TENANTS}/acme/suspend"),
        await acme.post(f"{TENANTS}/acme/resume"),
        await acme.delete(f"{TENANTS}/acme", params={"confirm": "acme"}),
    ]
    assert [each.status_code for each in tried] == [403] * len(tried)
    assert {each.json()["type"] for each in tried} == {"/docs/errors/operator-only"}
    assert reads.changes == []
    assert reads.erased == []


async def test_another_tenant_is_as_unknown_as_none(acme: httpx.AsyncClient) -> None:
    for method, path in (
        ("GET", ""), ("GET", "/export"), ("PATCH", ""), ("POST", "/suspend"), ("POST", "/resume"), ("DELETE", ""),
    ):  # fmt: skip
        told: list[tuple[int, str]] = []
        for tenant in ("other", "nosuch"):
            params = {"confirm": tenant} if method == "DELETE" else {}
            body = {"name": "x"} if method == "PATCH" else None
            answer = await acme.request(method, f"{TENANTS}/{tenant}{path}", params=params, json=body)
            told.append((answer.status_code, answer.json()["detail"].replace(tenant, "T")))
        assert told[0] == told[1]
        assert told[0][0] == 404


async def test_a_look_at_another_tenant_asks_no_store(reads: fakes.FakeReads, acme: httpx.AsyncClient) -> None:
    await acme.get("/v1/me")
    del reads.tenants["other"]
    assert (await acme.get(f"{TENANTS}/other")).status_code == 404


async def test_an_export_ends_with_its_number_of_rows(acme: httpx.AsyncClient) -> None:
    answer = await acme.get(f"{TENANTS}/acme/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0]["kind"] == "tenants"
    assert lines[0]["row"]["id"] == "acme"
    assert lines[-1] == {"kind": "end", "rows": 1}


async def test_no_more_than_one_export_at_a_time(reads: fakes.FakeReads, state: State) -> None:
    """Each holds a connection until its reader has taken all of it."""
    ended, address = state.exports.take("public"), f"{TENANTS}/acme/export"
    async with fakes.client(reads, reads.add_key("acme", "admin"), state) as acme:
        refused = await acme.get(address)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        assert refused.json()["detail"].endswith("Come again in 10 seconds.")
        ended()
        assert [(await acme.get(address)).status_code for _ in range(2)] == [200, 200]


async def test_an_erasure_wants_the_id_again(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    for params in ({}, {"confirm": "other"}):
        assert (await operator.delete(f"{TENANTS}/acme", params=params)).status_code == 422
    assert reads.erased == []
    answer = await operator.delete(f"{TENANTS}/acme", params={"confirm": "acme"})
    assert answer.json()["erased"]["postgres"] == {"api_keys": 1}
    assert reads.erased == ["acme"]


async def test_a_post_is_done_once(reads: fakes.FakeReads, operator: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "make-beta-1"}
    body = {"id": "beta", "name": "Beta"}
    first, again = [await operator.post(TENANTS, json=body, headers=headers) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(reads.changes) == 1
