from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI, Security

from api.app import create_app, make_routes
from api.security.guard import guard, require_guarded
from api.security.principal import Principals
from api.security.scopes import PRICES, ROLES, SCOPES, granted
from db.postgres.access import StoredKey
from pipeline.errors import DataProcessingError
from service import apikey, clock
from tests.api import fakes


async def _me(reads: fakes.FakeReads, **headers: str) -> httpx.Response:
    async with fakes.client(reads) as client:
        return await client.get("/v1/me", headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_a_key_reads_back_and_a_wrong_letter_does_not() -> None:
    key = apikey.make()
    text = key.text()
    assert apikey.parse(text) == key
    for place in range(len(text)):
        other = "x" if text[place] != "x" else "y"
        assert apikey.parse(text[:place] + other + text[place + 1 :]) is None


def test_a_key_hides_its_secret() -> None:
    key = apikey.make()
    assert key.secret not in repr(key)
    assert key.secret.encode() not in key.digest("pepper")
    assert key.digest("pepper") != key.digest("other pepper")


def test_every_route_is_guarded() -> None:
    create_app(fakes.state(fakes.FakeReads()))


@pytest.mark.parametrize("dependency", [None, Security(guard), Security(guard, scopes=[PRICES])])
def test_a_route_without_a_scope_stops_the_start(dependency: object) -> None:
    app = make_routes()

    async def leak() -> None: ...

    app.add_api_route("/v1/leak", leak, dependencies=[dependency] if dependency else [])  # type: ignore[list-item]
    with pytest.raises(DataProcessingError, match="/v1/leak declares no scope"):
        require_guarded(app)


def test_what_is_no_api_route_stops_the_start() -> None:
    app = make_routes()
    app.mount("/files", FastAPI())
    with pytest.raises(DataProcessingError, match="/files"):
        require_guarded(app)


async def test_a_good_key_is_taken_in_either_header(reads: fakes.FakeReads) -> None:
    key = reads.add_key("acme", "analyst")
    for headers in ({"Authorization": f"Bearer {key}"}, {"X_API_Key": key}):
        answer = await _me(reads, **headers)
        assert answer.status_code == 200
        assert answer.json()["readable_tenants"] == ["acme", "public"]
        assert "stream:read" in answer.json()["scopes"]


async def test_a_key_is_never_taken_from_the_address(reads: fakes.FakeReads) -> None:
    key = reads.add_key()
    async with fakes.client(reads) as client:
        assert (await client.get("/v1/me", params={"api_key": key})).status_code == 401
        refused = await client.get("/v1/me", params={"api_key": key}, headers={"X-API-Key": key})
    assert refused.status_code == 422
    assert key not in refused.text


async def test_no_key_a_bad_key_and_two_keys_are_401(reads: fakes.FakeReads) -> None:
    one, other = reads.add_key(), reads.add_key()
    tries: list[dict[str, str]] = [
        {},
        {"X_API_Key": "gt_live_nonsense"},
        {"X_API_Key": apikey.make().text()},
        {"X_API_Key": one, "Authorization": f"Bearer {other}"},
    ]
    for headers in tries:
        answer = await _me(reads, **headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("name", "before"), [("X-API-Key", ""), ("Authorization", "Bearer ")])
async def test_of_one_header_twice_no_key_is_chosen(reads: fakes.FakeReads, name: str, before: str) -> None:
    one, other = before + reads.add_key(), before + reads.add_key()
    async with fakes.client(reads) as client:
        for values, status in (((one, other), 401), ((other, one), 401), ((one, one), 200), ((one, ""), 200)):
            answer = await client.get("/v1/me", headers=[(name, each) for each in values])
            assert answer.status_code == status


async def test_what_is_no_bearer_is_no_key(reads: fakes.FakeReads) -> None:
    key = reads.add_key()
    assert (await _me(reads, Authorization="Basic eDp5")).status_code == 401
    assert (await _me(reads, Authorization="Basic eDp5", X_API_Key=key)).status_code == 200


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("GET", f"/v1/ticks?instrument={fakes.GAS}&limit=1&limit=2", None),
        ("GET", "/v1/usage?nothing=1", None),
        ("POST", "/v1/admin/keys", b"{"),
        ("PATCH", "/v1/admin/tenants/acme?x=1&x=2", b"{"),
        ("POST", "/v1/admin/dead-letters/replay", b"["),
    ],
)
async def test_who_is_not_known_is_told_nothing_else(
    reads: fakes.FakeReads, method: str, address: str, body: bytes | None
) -> None:
    """Nor is anything else of the request read; and what a good key gets wrong is counted for it."""
    headers = {"Content-Type": "application/json"}
    state = fakes.state(reads)
    async with fakes.client(reads, None, state) as client:
        assert (await client.request(method, address, content=body, headers=headers)).status_code == 401
        headers["X-API-Key"] = reads.add_key(role="admin")
        wrong = await client.request(method, address, content=body, headers=headers)
    assert (wrong.status_code, "RateLimit" in wrong.headers) == (422, True)
    assert state.metrics.value("auth_refusals_total", reason="none") == 1


async def test_a_malformed_key_costs_no_lookup(reads: fakes.FakeReads) -> None:
    await _me(reads, X_API_Key=apikey.make().text()[:-1] + "z")
    assert reads.lookups == 0


async def test_another_secret_under_a_known_id_is_401(reads: fakes.FakeReads) -> None:
    known = apikey.parse(reads.add_key())
    assert known is not None
    forged = apikey.ApiKey(known.id, apikey.make().secret)
    assert (await _me(reads, X_API_Key=forged.text())).status_code == 401
    assert reads.lookups == 1


async def test_expired_and_revoked_keys_are_401(reads: fakes.FakeReads) -> None:
    before = clock.now() - timedelta(seconds=1)
    for key in (reads.add_key(expires_at=before), reads.add_key(revoked_at=before)):
        assert (await _me(reads, X_API_Key=key)).status_code == 401


async def test_a_missing_scope_is_named(reads: fakes.FakeReads) -> None:
    key = reads.add_key(scopes=frozenset({"prices:read"}))
    async with fakes.client(reads, key) as client:
        answer = await client.get("/v1/bars", params={"instrument": fakes.GAS, "interval": "1h"})
        assert answer.status_code == 403
        assert "bars:read" in answer.json()["detail"]
        assert (await client.get("/v1/instruments")).status_code == 200


async def test_a_revoked_key_is_forgotten_within_five_seconds(reads: fakes.FakeReads) -> None:
    key, ticking = reads.add_key(), fakes.Ticking()
    async with fakes.client(reads, key, fakes.state(reads, ticking)) as client:
        assert (await client.get("/v1/me")).status_code == 200
        (stored,) = reads.keys.values()
        reads.keys[stored.id] = _revoked(stored)
        ticking.now += 1
        assert (await client.get("/v1/me")).status_code == 200
        assert reads.lookups == 1
        ticking.now += 3.5
        assert (await client.get("/v1/me")).status_code == 401


async def test_a_slow_look_up_is_remembered_from_its_beginning(reads: fakes.FakeReads) -> None:
    key, ticking = reads.add_key(), fakes.Ticking()

    async def find_slowly(key_id: str) -> StoredKey | None:
        found = await reads.find_key(key_id)
        ticking.now += 3
        return found

    principals = Principals(find_slowly, reads.used.append, reads.peppers, ticking, reads.rehash)
    assert await principals.of(key) is not None
    (stored,) = reads.keys.values()
    reads.keys[stored.id] = _revoked(stored)
    ticking.now += 0.9
    assert await principals.of(key) is not None
    ticking.now += 0.1
    assert await principals.of(key) is None


def _revoked(stored: StoredKey) -> StoredKey:
    past = datetime(2026, 1, 1, tzinfo=UTC)
    return StoredKey(stored.id, stored.tenant, "", stored.role, None, stored.digest, None, past)


def test_roles_grow_and_an_unknown_one_may_nothing() -> None:
    assert ROLES["viewer"] < ROLES["analyst"] < ROLES["operator"] < ROLES["admin"] == frozenset(SCOPES)
    assert granted("emperor", None) == frozenset()
    assert granted("viewer", frozenset({"prices:read", "keys:admin"})) == {"prices:read"}
