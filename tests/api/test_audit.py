"""Denied accesses become records, and records are shown to whom they concern."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.security.audit import plain
from api.state import State
from db.entitlements import Entitlements
from db.postgres.audit import Entry
from service import apikey
from tests.api import fakes

AT = datetime(2026, 7, 1, tzinfo=UTC)
AUDIT = "/v1/admin/audit"


def entry(tenant: str, target: str, **more: str) -> Entry:
    given = {"actor": "cli", "actor_tenant": "public", "action": "key.create", "request_id": "r"} | more
    return Entry(tenant=tenant, target=target, outcome="done", detail={"n": 1}, **given)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def state(reads: fakes.FakeReads) -> State:
    return fakes.state(reads)


async def denied(state: State, reads: fakes.FakeReads) -> list[dict[str, Any]]:
    """What was recorded."""
    await state.denials.write(every=True)
    async with fakes.client(reads, reads.add_key("public", "admin"), state) as http:
        return (await http.get(AUDIT)).json()["data"]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({}, "none"), ({"X-API-Key": "a", "Authorization": "Bearer b"}, "several"), ({"X-API-Key": "typo"}, "unknown")],
)
async def test_who_sends_no_good_key_is_recorded_for_the_operator(
    reads: fakes.FakeReads, state: State, headers: dict[str, str], reason: str
) -> None:
    async with fakes.client(reads, None, state) as http:
        for _ in range(3):
            assert (await http.get("/v1/ticks?instrument=x", headers=headers)).status_code == 401
    [record] = await denied(state, reads)
    assert (record["tenant"], record["actor"], record["actor_tenant"]) == ("public", "anonymous", "")
    assert (record["action"], record["target"], record["outcome"]) == ("access.denied", "GET /v1/ticks", "denied")
    assert record["detail"].items() >= {"reason": reason, "count": 3, "address": "127.0.0.0/24"}.items()


@pytest.mark.parametrize("kind", ["unknown", "expired", "revoked"])
async def test_of_a_key_that_does_not_work_the_id_is_recorded_and_never_the_secret(
    reads: fakes.FakeReads, state: State, kind: str
) -> None:
    more = {} if kind == "unknown" else {f"{kind}_at".replace("expired", "expires"): AT - timedelta(days=1)}
    text = apikey.make().text() if kind == "unknown" else reads.add_key("acme", "viewer", **more)
    key = apikey.parse(text)
    assert key is not None
    async with fakes.client(reads, text, state) as http:
        assert (await http.get("/v1/instruments/anything")).status_code == 401
    [record] = await denied(state, reads)
    assert (record["detail"]["key"], record["target"]) == (key.id, "GET /v1/instruments/{instrument:path}")
    assert key.secret not in str(record)


async def test_a_missing_scope_is_recorded_for_the_tenant_of_the_key(reads: fakes.FakeReads, state: State) -> None:
    text = reads.add_key("acme", "viewer")
    async with fakes.client(reads, text, state) as http:
        answer = await http.get(AUDIT, headers={"X-Request-ID": "request-1"})
    assert answer.status_code == 403
    [record] = await denied(state, reads)
    key = apikey.parse(text)
    assert key is not None
    assert (record["tenant"], record["actor"], record["actor_tenant"]) == ("acme", key.id, "acme")
    assert record["request_id"] == "request-1"
    assert record["detail"].items() >= {"reason": "scope", "asked": "audit:read"}.items()
    assert "address" not in record["detail"]


@pytest.mark.parametrize("path", ["/v1/ticks?instrument=x&", "/v1/admin/reference/locations?", f"{AUDIT}?"])
async def test_asking_for_another_tenant_is_recorded(reads: fakes.FakeReads, state: State, path: str) -> None:
    async with fakes.client(reads, reads.add_key("acme", "admin"), state) as http:
        assert (await http.get(f"{path}tenant=other")).status_code == 404
        assert (await http.get(f"{path}tenant=acme")).status_code in {200, 404}
    [record] = await denied(state, reads)
    assert (record["tenant"], record["target"]) == (
        "acme",
        f"GET {path.partition('?')[0].replace('locations', '{table}')}",
    )
    assert record["detail"].items() >= {"reason": "tenant", "asked": "other", "count": 1}.items()


async def test_a_refusal_that_is_not_noted_where_it_is_raised_is_recorded_too(
    reads: fakes.FakeReads, state: State
) -> None:
    text = reads.add_key("acme", "viewer", entitled=Entitlements(history=timedelta(days=1)))
    async with fakes.client(reads, text, state) as http:
        answer = await http.get(f"/v1/ticks?instrument={fakes.GAS}&start=2026-07-01T00:00:00Z")
        assert answer.status_code == 403, answer.text
    [record] = await denied(state, reads)
    assert (record["tenant"], record["actor_tenant"], record["target"]) == ("acme", "acme", "GET /v1/ticks")
    assert record["detail"].items() >= {"reason": "history-limit", "count": 1}.items()


def test_what_a_caller_made_up_is_cut_and_text_that_every_store_takes() -> None:
    assert plain("a" * 100) == "a" * 80
    assert plain("a\0\ud800") == "a\N{REPLACEMENT CHARACTER}?"


async def test_the_operator_sees_all_and_a_tenant_its_own(reads: fakes.FakeReads) -> None:
    await reads.append_audit([entry("acme", "a"), entry("other", "b"), entry("public", "c")], AT)

    async def targets(http: httpx.AsyncClient, query: str = "") -> list[str]:
        return [each["target"] for each in (await http.get(AUDIT + query)).json()["data"]]

    async with fakes.client(reads, reads.add_key("public", "operator")) as http:
        assert await targets(http) == ["a", "b", "c"]
        assert await targets(http, "?tenant=other") == ["b"]
    async with fakes.client(reads, reads.add_key("acme", "operator")) as http:
        assert await targets(http) == ["a"] == await targets(http, "?tenant=acme")
        for tenant in ("other", "public"):
            assert (await http.get(f"{AUDIT}?tenant={tenant}")).status_code == 404
    async with fakes.client(reads, reads.add_key("acme", "analyst")) as http:
        assert (await http.get(AUDIT)).status_code == 403


async def test_pages_and_filters(reads: fakes.FakeReads) -> None:
    for n in range(5):
        await reads.append_audit([entry("acme", f"t{n}", actor=f"k{n % 2}")], AT + timedelta(days=n))
    async with fakes.client(reads, reads.add_key("public", "admin")) as http:
        first = (await http.get(f"{AUDIT}?limit=2&actor=k0")).json()
        assert [each["seq"] for each in first["data"]] == [1, 3]
        assert first["query"] == {"limit": 2, "actor": "k0"}
        second = await http.get(f"{AUDIT}?limit=2&actor=k0&cursor={first['next']}")
        assert [each["seq"] for each in second.json()["data"]] == [5]
        assert second.json()["next"] is None
        assert (await http.get(f"{AUDIT}?actor=k1&cursor={first['next']}")).status_code == 422
        span = f"{AUDIT}?since=2026-07-02T00:00:00Z&until=2026-07-04T00:00:00Z"
        assert [each["target"] for each in (await http.get(span)).json()["data"]] == ["t1", "t2"]
        assert (await http.get(f"{AUDIT}?action=key.revoke")).json()["data"] == []
        [shown] = (await http.get(f"{AUDIT}?limit=1")).json()["data"]
    assert shown["detail"] == {"n": 1}
    assert shown["at"] == "2026-07-01T00:00:00Z"
    assert shown["hash"] == reads.records[0].hash.hex()
