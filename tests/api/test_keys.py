"""Keys over REST: who makes them, what they may do, how they end, and posts that are sent again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from db.postgres.keys import RevokeKey, RotateKey
from service import apikey, clock
from service.apikey import Peppers
from tests.api import fakes

KEYS = "/v1/admin/keys"
NEW = {"name": "dashboard", "role": "viewer"}
ONCE = {"Idempotency-Key": "8c5b9f1e-once"}


@pytest.fixture
async def operator(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    async with fakes.client(reads, reads.add_key(role="admin")) as client:
        yield client


@pytest.fixture
async def acme(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of the tenant `acme`."""
    async with fakes.client(reads, reads.add_key("acme", "admin")) as client:
        yield client


def _id(reads: fakes.FakeReads, text: str) -> str:
    key = apikey.parse(text)
    assert key is not None
    return key.id


def _kind(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition("/")[2]


async def test_a_new_key_works_and_is_shown_once(reads: fakes.FakeReads, acme: httpx.AsyncClient) -> None:
    answer = await acme.post(KEYS, json=NEW)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["tenant"], made["role"], made["scopes"]) == ("acme", "viewer", None)
    async with fakes.client(reads, made["key"]) as client:
        assert (await client.get("/v1/me")).json()["tenant"] == "acme"
    shown = (await acme.get(f"{KEYS}/{made['id']}")).json()
    assert made.pop("key") not in str(shown)
    assert shown == made
    change, by = reads.changes[-1]
    assert change.action == "key.create"
    assert by.tenant == "acme"
    assert by.request_id == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("more", "parameter", "words"),
    [
        ({"role": "emperor"}, "role", "viewer"),
        ({"name": ""}, "name", "at least 1"),
        ({"scopes": ["prices:write"]}, "scopes.0", "prices:read"),
        ({"scopes": ["keys:admin"]}, "scopes", "viewer has no keys:admin"),
        ({"scopes": []}, "scopes", "at least 1"),
        ({"expires_at": "2026-01-01T00:00:00"}, "expires_at", "no offset"),
        ({"expires_at": "2026-01-01T00:00:00Z"}, "expires_at", "past"),
        ({"colour": "red"}, "colour", "no parameter"),
    ],
)
async def test_a_body_is_read_strictly(
    acme: httpx.AsyncClient, more: dict[str, Any], parameter: str, words: str
) -> None:
    answer = await acme.post(KEYS, json=NEW | more)
    assert answer.status_code == 422
    assert parameter in [each["parameter"] for each in answer.json()["errors"]]
    assert words in answer.json()["detail"]


async def test_no_key_gives_what_it_does_not_have(reads: fakes.FakeReads) -> None:
    narrow = reads.add_key("acme", "admin", scopes=frozenset({"keys:admin", "prices:read"}))
    wide = _id(reads, reads.add_key("acme", "admin"))
    async with fakes.client(reads, narrow) as client:
        refused = await client.post(KEYS, json=NEW)
        fine = await client.post(KEYS, json=NEW | {"scopes": ["prices:read"]})
        rotated = await client.post(f"{KEYS}/{wide}/rotate")
    for answer in (refused, rotated):
        assert answer.status_code == 403
        assert _kind(answer) == "scope-missing"
    assert "bars:read" in refused.json()["detail"]
    assert fine.status_code == 201
    assert len(reads.changes) == 1


async def test_the_scope_of_keys_is_needed(reads: fakes.FakeReads) -> None:
    async with fakes.client(reads, reads.add_key("acme", "operator")) as client:
        assert (await client.get(KEYS)).status_code == 403
        assert (await client.post(KEYS, json=NEW)).status_code == 403


async def test_a_tenant_manages_its_own_keys_alone(reads: fakes.FakeReads, acme: httpx.AsyncClient) -> None:
    theirs = _id(reads, reads.add_key("other"))
    answers = [
        await acme.get(KEYS, params={"tenant": "other"}),
        await acme.get(KEYS, params={"tenant": "nobody"}),
        await acme.post(KEYS, json=NEW | {"tenant": "other"}),
        await acme.post(KEYS, json=NEW | {"tenant": "nobody"}),
        await acme.get(f"{KEYS}/{theirs}"),
        await acme.get(f"{KEYS}/{apikey.new_id()}"),
        await acme.delete(f"{KEYS}/{theirs}"),
        await acme.post(f"{KEYS}/{theirs}/rotate"),
    ]
    assert [each.status_code for each in answers] == [404] * len(answers)
    for one, same in (answers[:2], answers[2:4]):
        assert one.json()["detail"].replace("other", "nobody") == same.json()["detail"]
    assert reads.changes == []
    assert {each["tenant"] for each in (await acme.get(KEYS)).json()["data"]} == {"acme"}


async def test_the_operator_manages_the_keys_of_every_tenant(
    reads: fakes.FakeReads, operator: httpx.AsyncClient
) -> None:
    made = (await operator.post(KEYS, json=NEW | {"tenant": "acme"})).json()
    assert made["tenant"] == "acme"
    assert {each["tenant"] for each in (await operator.get(KEYS)).json()["data"]} == {"acme", "public"}
    only = await operator.get(KEYS, params={"tenant": "acme"})
    assert [each["id"] for each in only.json()["data"]] == [made["id"]]


async def test_a_list_goes_on_where_it_ended(reads: fakes.FakeReads, acme: httpx.AsyncClient) -> None:
    for _ in range(4):
        reads.add_key("acme")
    seen: list[str] = []
    answer = await acme.get(KEYS, params={"limit": 2})
    while True:
        seen += [each["id"] for each in answer.json()["data"]]
        if answer.json()["next"] is None:
            break
        answer = await acme.get(KEYS, params={"limit": 2, "cursor": answer.json()["next"]})
    assert seen == sorted(reads.keys)


async def test_a_rotated_key_stays_good_for_a_while(reads: fakes.FakeReads, acme: httpx.AsyncClient) -> None:
    old = _id(reads, reads.add_key("acme", "viewer"))
    answer = await acme.post(f"{KEYS}/{old}/rotate")
    assert answer.status_code == 201
    assert (answer.json()["replaces"], answer.json()["role"]) == (old, "viewer")
    await acme.post(f"{KEYS}/{old}/rotate", json={"keep": 0})
    kept = [change.keep for change, _ in reads.changes if isinstance(change, RotateKey)]
    assert kept == [timedelta(hours=24), timedelta(0)]
    assert (await acme.post(f"{KEYS}/{old}/rotate", json={"keep": -1})).status_code == 422


async def test_a_revoked_key_opens_nothing(reads: fakes.FakeReads, acme: httpx.AsyncClient) -> None:
    text = reads.add_key("acme")
    answer = await acme.delete(f"{KEYS}/{_id(reads, text)}")
    assert answer.status_code == 200
    assert answer.json()["revoked_at"] is not None
    assert isinstance(reads.changes[-1][0], RevokeKey)
    async with fakes.client(reads, text) as client:
        assert (await client.get("/v1/me")).status_code == 401


async def test_a_post_that_comes_again_shows_the_same_key(reads: fakes.FakeReads, acme: httpx.AsyncClient) -> None:
    first, again = [await acme.post(KEYS, json=NEW, headers=ONCE) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(reads.changes) == 1
    assert first.json()["key"].split("_")[3] not in str(reads.posts)
    other = await acme.post(KEYS, json=NEW | {"name": "another"}, headers=ONCE)
    assert (other.status_code, _kind(other)) == (422, "idempotency-mismatch")
    elsewhere = await acme.post(f"{KEYS}/{first.json()['id']}/rotate", headers=ONCE)
    assert (elsewhere.status_code, _kind(elsewhere)) == (422, "idempotency-mismatch")


async def test_it_shows_the_same_key_also_under_a_new_pepper(reads: fakes.FakeReads, acme: httpx.AsyncClient) -> None:
    first = await acme.post(KEYS, json=NEW, headers=ONCE)
    before = reads.peppers.present
    reads.peppers = Peppers("a new pepper", before)
    again = await acme.post(KEYS, json=NEW, headers=ONCE)
    assert again.json() == first.json()
    reads.peppers = Peppers("a new pepper")
    lost = await acme.post(KEYS, json=NEW, headers=ONCE)
    assert (lost.status_code, _kind(lost)) == (422, "idempotency-mismatch")
    assert "Rotate" in lost.json()["detail"]


async def test_who_may_give_less_is_not_shown_a_key_by_its_name(
    reads: fakes.FakeReads, acme: httpx.AsyncClient
) -> None:
    await acme.post(KEYS, json=NEW | {"role": "admin"}, headers=ONCE)
    narrow = reads.add_key("acme", "admin", scopes=frozenset({"keys:admin"}))
    async with fakes.client(reads, narrow) as client:
        assert (await client.post(KEYS, json=NEW | {"role": "admin"}, headers=ONCE)).status_code == 403


async def test_the_same_name_of_another_tenant_is_another_one(
    reads: fakes.FakeReads, acme: httpx.AsyncClient, operator: httpx.AsyncClient
) -> None:
    first, other = await acme.post(KEYS, json=NEW, headers=ONCE), await operator.post(KEYS, json=NEW, headers=ONCE)
    assert first.json()["id"] != other.json()["id"]
    assert other.json()["tenant"] == "public"


@pytest.mark.parametrize("name", ["short", "x" * 129, "with blank in it", "tab\tinside", "ümlaut-äöü"])
async def test_an_idempotency_key_has_a_shape(reads: fakes.FakeReads, acme: httpx.AsyncClient, name: str) -> None:
    answer = await acme.post(KEYS, json=NEW, headers=[(b"Idempotency-Key", name.encode())])
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]
    assert reads.changes == []


async def test_two_idempotency_keys_are_refused(acme: httpx.AsyncClient) -> None:
    both = [("Idempotency-Key", "one-of-them"), ("Idempotency-Key", "one-of-them")]
    assert (await acme.post(KEYS, json=NEW, headers=both)).status_code == 422


async def test_a_key_under_the_old_pepper_works_and_is_put_under_the_new(reads: fakes.FakeReads) -> None:
    text = reads.add_key("acme")
    reads.peppers = Peppers("a new pepper", reads.peppers.present)
    async with fakes.client(reads, text) as client:
        assert (await client.get("/v1/me")).status_code == 200
    assert reads.rehashed == [_id(reads, text)]
    reads.peppers = Peppers("a new pepper")
    async with fakes.client(reads, text) as client:
        assert (await client.get("/v1/me")).status_code == 401


async def test_a_key_of_a_suspended_tenant_opens_nothing(reads: fakes.FakeReads) -> None:
    text = reads.add_key("acme", suspended=True)
    async with fakes.client(reads, text) as client:
        assert (await client.get("/v1/me")).status_code == 401


async def test_an_expiry_that_lies_ahead_is_taken(acme: httpx.AsyncClient) -> None:
    ahead = (clock.now() + timedelta(days=30)).isoformat()
    answer = await acme.post(KEYS, json=NEW | {"expires_at": ahead})
    assert answer.status_code == 201, answer.text
