"""Keys and tenants of the running API, on the real stores."""

import asyncio
import json
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from db.postgres.access import StoredKey, create_key, find_key
from db.postgres.engine import make_engine
from local.stack import Stack
from service import apikey
from service.settings import Settings
from tests.api import running_api
from tests.polling import until

pytestmark = pytest.mark.stack
SUSPENDED_WITHIN_S = 5.0


async def _operator(settings: Settings) -> str:
    """An administrator's key of `public`, under the pepper before."""
    engine, key = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False), apikey.make()
    await create_key(engine, StoredKey(key.id, "public", "t", "admin", None, key.digest("before"), None, None))
    await engine.dispose()
    return key.text()


@pytest.fixture(scope="module")
def operator(stack: Stack, settings: Settings) -> Iterator[httpx.Client]:
    headers = {"X-API-Key": asyncio.run(_operator(settings))}
    serving = running_api.serving(stack, DATA_PROC_API_KEY_PEPPER_BEFORE="before")
    with serving as url, httpx.Client(base_url=url, headers=headers) as client:
        yield client


def test_a_tenant_lives_from_its_first_key_to_its_end(operator: httpx.Client) -> None:
    tenant, once = f"t-{uuid4().hex[:12]}", {"Idempotency-Key": uuid4().hex}
    made = operator.post("/v1/admin/tenants", json={"id": tenant, "name": "A tenant", "markets": ["ercot"]})
    assert made.status_code == 201, made.text
    body = {"name": "n", "role": "admin", "tenant": tenant}
    first, again = (operator.post("/v1/admin/keys", json=body, headers=once) for _ in range(2))
    assert first.json()["key"] == again.json()["key"]
    assert again.headers["idempotency-replayed"] == "true"
    own = {"X-API-Key": first.json()["key"]}
    kinds = [
        json.loads(line)["kind"]
        for line in operator.get(f"/v1/admin/tenants/{tenant}/export", headers=own).iter_lines()
    ]
    assert kinds == ["tenants", "api_keys", "audit", "audit", "end"]
    assert [each["id"] for each in operator.get("/v1/admin/keys", headers=own).json()["data"]] == [first.json()["id"]]
    assert operator.post(f"/v1/admin/tenants/{tenant}/suspend").status_code == 200
    until(lambda: operator.get("/v1/me", headers=own).status_code == 401, SUSPENDED_WITHIN_S, "the key opens nothing")
    refused = operator.post("/v1/admin/keys", json=body)
    assert (refused.status_code, refused.json()["type"]) == (409, "/docs/errors/tenant-inactive")
    erased = operator.delete(f"/v1/admin/tenants/{tenant}", params={"confirm": tenant})
    assert erased.json()["erased"]["postgres"]["api_keys"] == 1, erased.text


def test_a_key_that_was_used_is_under_the_present_pepper(operator: httpx.Client, settings: Settings) -> None:
    assert operator.get("/v1/me").status_code == 200
    key_id = operator.get("/v1/me").json()["key_id"]
    present = apikey.fingerprint(running_api.PEPPER)
    until(lambda: asyncio.run(_pepper(settings, key_id)) == present, what="the key is under the present pepper")


async def _pepper(settings: Settings, key_id: str) -> str | None:

    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    found = await find_key(engine, key_id)
    await engine.dispose()
    return None if found is None else found.pepper
