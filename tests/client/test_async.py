"""The async client has what the other one has, and gives the same."""

import inspect
from decimal import Decimal
from typing import Any

import httpx
import pytest

from gridtick.client import AsyncClient, Client, GridtickError, NotFound, Unreachable

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
PARTS = ("curves", "spreads", "audit", "keys", "tenants", "dead_letters")


def _public(made: object) -> set[str]:
    return {name for name in dir(made) if not name.startswith("_")}


def _signatures(made: object) -> dict[str, tuple[str, str | None]]:
    """Of each method the parameters that `help` shows, and its words."""
    methods = {name: getattr(made, name) for name in _public(made) if inspect.isroutine(getattr(made, name))}
    return {
        name: (str(inspect.signature(method).replace(return_annotation=inspect.Signature.empty)), method.__doc__)
        for name, method in methods.items()
        if name not in {"close", "aclose", "stream", "end_streams"}
    }


def test_both_clients_have_the_same_reads() -> None:
    blocking, awaited = Client("http://x", KEY), AsyncClient("http://x", KEY)
    assert _public(awaited) - {"aclose"} == _public(blocking) - {"close"}
    for one, other in [(blocking, awaited), *((getattr(blocking, part), getattr(awaited, part)) for part in PARTS)]:
        assert _signatures(one) == _signatures(other) != {}


def test_help_shows_what_a_read_takes() -> None:
    shown = inspect.signature(Client("http://x", KEY).bars)
    assert list(shown.parameters)[:3] == ["instrument", "interval", "start"]
    assert next(iter(inspect.signature(Client.bars).parameters)) == "self"
    with pytest.raises(TypeError, match="intervall"):
        Client("http://x", KEY).bars("A", intervall="1h")  # pyright: ignore[reportCallIssue]


async def test_pages_and_objects_are_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridtick.client.http.PAGE", 2)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        first = int(request.url.params.get("cursor", 0))
        rows = [{"price": number} for number in range(first, min(first + int(request.url.params.get("limit", 1)), 5))]
        following = None if first + len(rows) >= 5 else str(first + len(rows))
        return httpx.Response(200, json={"data": rows, "next": following, "complete": first == 0, "points": []})

    async with AsyncClient("http://api.test", KEY, transport=httpx.MockTransport(answer)) as client:
        rows = client.ticks("A", limit=4)
        found = [row["price"] async for row in rows]
        assert (found, rows.complete) == ([Decimal(n) for n in range(4)], False)
        assert all(isinstance(price, Decimal) for price in found)
        assert (await client.curves.latest("a/b"))["points"] == []
        assert [each["session"] async for each in client.curves.over("c", limit=0)] == []
    assert [str(request.url.raw_path, "ascii") for request in asked] == [
        "/v1/ticks?instrument=A&limit=2", "/v1/ticks?instrument=A&limit=2&cursor=2",
        "/v1/curves/a%2Fb/snapshots/latest",
    ]  # fmt: skip
    assert asked[0].headers["authorization"] == f"Bearer {KEY}"


async def test_lines_come_one_by_one_and_changes_are_made() -> None:
    asked: list[tuple[str, str, bytes]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, request.content))
        if request.url.path.endswith("export"):
            return httpx.Response(200, content=b'{"kind":"ticks","row":{}}\n{"kind":"end"}\n')
        return httpx.Response(200, json={"id": "t", "erased": {"postgres": {"keys": 1}}})

    async with AsyncClient("http://api.test", KEY, transport=httpx.MockTransport(answer)) as client:
        assert [each["kind"] async for each in client.tenants.export("t")] == ["ticks", "end"]
        assert await client.tenants.erase("t", "t") == {"postgres": {"keys": 1}}
        assert (await client.tenants.change("t", name="T"))["id"] == "t"
    assert asked[1:] == [("DELETE", "/v1/admin/tenants/t", b""), ("PATCH", "/v1/admin/tenants/t", b'{"name":"T"}')]


async def test_errors_are_the_same() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/me":
            return httpx.Response(404, json={"detail": "No.", "request_id": "r"})
        raise httpx.ConnectError("refused", request=request)

    client: Any
    async with AsyncClient("http://api.test", KEY, transport=httpx.MockTransport(refuse)) as client:
        with pytest.raises(NotFound, match=r"No\. \(request r\)"):
            await client.me()
        with pytest.raises(Unreachable):
            await client.status()
        with pytest.raises(Unreachable):
            [row async for row in client.tenants.export("t")]
    with pytest.raises(GridtickError, match="closed"):
        await client.me()
