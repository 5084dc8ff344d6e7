"""The client's part for keys and tenants, against the routes themselves."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from gridtick.client import ApiError, Client, Forbidden, InvalidRequest, NotFound
from tests.api import fakes


class Transport(httpx.BaseTransport):
    """Answers from the application, on a loop of its own: the client blocks."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._loop.run_until_complete(self._answered(request))

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await self._inner.handle_async_request(sent)
        content = await answer.aread()
        headers = [each for each in answer.headers.multi_items() if each[0] != "content-encoding"]  # it is unpacked
        return httpx.Response(answer.status_code, headers=headers, content=content)


@pytest.fixture
def reads() -> fakes.FakeReads:
    return fakes.FakeReads()


@pytest.fixture
def transport(reads: fakes.FakeReads) -> Iterator[Transport]:
    loop = asyncio.new_event_loop()
    yield Transport(create_app(fakes.state(reads)), loop)
    loop.close()


def _client(reads: fakes.FakeReads, transport: Transport, tenant: str = "public") -> Client:
    return Client("http://api.test", reads.add_key(tenant, "admin"), transport=transport)


def test_keys_are_made_listed_rotated_and_revoked(reads: fakes.FakeReads, transport: Transport) -> None:
    client = _client(reads, transport)
    made = client.keys.create("n", "viewer", tenant="acme", scopes=["prices:read"], once="once-and-no-more")
    assert made["key"].startswith("gt_live_")
    assert client.keys.create("n", "viewer", tenant="acme", scopes=["prices:read"], once="once-and-no-more") == made
    assert [each["id"] for each in client.keys.list(tenant="acme")] == [made["id"]]
    rotated = client.keys.rotate(made["id"], keep=60)
    assert rotated["replaces"] == made["id"]
    assert client.keys.revoke(rotated["id"])["revoked_at"] is not None
    assert client.keys.show(rotated["id"])["scopes"] == ["prices:read"]


def test_tenants_are_made_changed_exported_and_erased(reads: fakes.FakeReads, transport: Transport) -> None:
    client = _client(reads, transport)
    assert client.tenants.create("beta", "Beta", markets=["ercot"])["markets"] == ["ercot"]
    assert client.tenants.change("beta", markets=None, history_days=9)["history_days"] == 9
    assert client.tenants.suspend("beta", once="suspend-beta")["suspended_at"] is not None
    assert client.tenants.resume("beta")["suspended_at"] is None
    assert [each["kind"] for each in client.tenants.export("beta")] == ["tenants", "end"]
    assert client.tenants.erase("beta", "beta")["postgres"] == {"api_keys": 1}
    assert "beta" in [each["id"] for each in client.tenants.list()]
    assert client.tenants.show("beta")["id"] == "beta"


def test_refusals_have_their_types(reads: fakes.FakeReads, transport: Transport) -> None:
    client = _client(reads, transport, "acme")
    with pytest.raises(Forbidden) as told:
        client.tenants.suspend("acme")
    assert told.value.kind == "operator-only"
    with pytest.raises(NotFound):
        list(client.tenants.export("other"))
    with pytest.raises(InvalidRequest):
        client.keys.create("", "viewer")
    assert issubclass(NotFound, ApiError)
