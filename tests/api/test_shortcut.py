"""What is answered before it is routed is answered as a route would: compared with the routes themselves."""

import httpx
import pytest

from api.latest.kept import Kept
from api.wire.shortcut import Shortcut
from tests.api import fakes
from tests.api.answers import GAS, without_ages

PAST = f"/v1/ticks?instrument={fakes.NODE}&start=2026-07-01T00:00:00Z&as_of=2026-07-02T00:00:00Z"
_OWN = {"x-request-id", "content-length", "ratelimit"}


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a shortcut was found for."""
    taken: list[str] = []
    find = Shortcut.find

    def counted(self: Shortcut, scope: dict[str, object]):  # noqa: ANN202
        found = find(self, scope)  # type: ignore[arg-type]
        if found is not None:
            taken.append(str(scope["path"]))
        return found

    monkeypatch.setattr(Shortcut, "find", counted)
    return taken


async def test_a_remembered_price_is_answered_as_by_its_route(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, routed: list[str]
) -> None:
    first, second = await caller.get(GAS), await caller.get(GAS)
    assert routed == ["/v1/prices/latest"]
    assert without_ages(first) == without_ages(second)
    assert {n: v for n, v in first.headers.items() if n not in _OWN} == {
        n: v for n, v in second.headers.items() if n not in _OWN
    }
    metrics = (await caller.get("/metrics")).text
    assert 'gridtick_http_requests_total{method="GET",route="/v1/prices/latest",status="200"} 2.0' in metrics


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-API-Key": "nonsense"}, 401),
        ({"Authorization": "Bearer nonsense"}, 401),
        ({"Accept": "text/csv"}, 200),
        ({"Accept": "image/png"}, 406),
    ],
)
async def test_what_is_not_plain_is_left_to_the_route(
    caller: httpx.AsyncClient, routed: list[str], headers: dict[str, str], status: int
) -> None:
    for _ in range(2):
        await caller.get(GAS)
    routed.clear()
    assert (await caller.get(GAS, headers=headers)).status_code == status
    assert (await caller.head(GAS)).status_code == 200
    assert (await caller.post(GAS)).status_code == 405
    assert routed == []


async def test_who_has_the_past_is_told_so_without_a_route(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, routed: list[str]
) -> None:
    answer = await caller.get(PAST)
    for sent, short in ((answer.headers["etag"], True), (f"W/{answer.headers['etag']}", False)):
        routed.clear()
        again = await caller.get(PAST, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, bool(routed)) == (304, b"", short)
        assert again.headers["cache-control"] == answer.headers["cache-control"]
        assert again.headers["x-content-type-options"] == "nosniff"


async def test_a_key_without_the_scope_or_limits_gets_no_shortcut(
    reads: fakes.FakeReads, caller: httpx.AsyncClient, routed: list[str]
) -> None:
    tag = (await caller.get(PAST)).headers["etag"]
    await caller.get(GAS)
    routed.clear()
    bars = {"X-API-Key": reads.add_key(scopes=frozenset({"bars:read"}))}
    for _ in range(2):
        assert (await caller.get(GAS, headers=bars)).status_code == 403
        assert (await caller.get(PAST, headers=bars | {"If-None-Match": tag})).status_code == 403
    assert routed == []


async def test_limits_hold_for_shortcuts(reads: fakes.FakeReads, kept: Kept, ticking: fakes.Ticking) -> None:
    state = fakes.state(reads, ticking, kept, fakes.QUOTAS._replace(key=3))
    async with fakes.client(reads, reads.add_key(), state) as client:
        assert [(await client.get(GAS)).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    state = fakes.state(reads, ticking, kept, fakes.QUOTAS._replace(rows=2))
    async with fakes.client(reads, reads.add_key(), state) as client:
        assert [(await client.get(GAS)).status_code for _ in range(4)] == [200, 200, 429, 429]
