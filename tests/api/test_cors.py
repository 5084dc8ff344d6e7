"""Pages of other origins: those that are named may call."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.app import create_app
from api.latest.kept import Kept
from tests.api import fakes
from tests.api.answers import GAS

DESK = "https://desk.example.com"


@pytest.fixture
async def page(reads: fakes.FakeReads) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(fakes.state(reads), [DESK]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def _preflight(origin: str, method: str = "GET", headers: str = "x-api-key") -> dict[str, str]:
    return {
        "Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers,
    }  # fmt: skip


async def test_a_named_page_may_call(page: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    asked = await page.options("/v1/me", headers=_preflight(DESK, "POST", "x-api-key,idempotency-key"))
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, DESK)
    answer = await page.get(GAS, headers={"Origin": DESK, "X-API-Key": reads.add_key()})
    assert answer.headers["access-control-allow-origin"] == DESK
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "headers",
    [
        _preflight("https://evil.example.com"),
        _preflight(DESK, "TRACE"),
        _preflight(DESK, "GET", "x-other"),
        _preflight("null"),
    ],
)
async def test_what_is_not_allowed_is_a_problem(page: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await page.options("/v1/me", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "/docs/errors/origin-refused")
    assert "RateLimit" not in answer.headers


async def test_a_page_that_is_not_named_is_not_told_that_it_may(
    page: httpx.AsyncClient, reads: fakes.FakeReads
) -> None:
    answer = await page.get(GAS, headers={"Origin": "https://evil.example.com", "X-API-Key": reads.add_key()})
    assert "access-control-allow-origin" not in answer.headers


async def test_a_remembered_price_tells_the_page_that_it_may(
    reads: fakes.FakeReads, ticking: fakes.Ticking, kept: Kept
) -> None:
    state = fakes.state(reads, ticking, kept)
    transport = httpx.ASGITransport(app=create_app(state, [DESK]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        headers = {"Origin": DESK, "X-API-Key": reads.add_key()}
        for _ in range(3):
            assert (await client.get(GAS, headers=headers)).headers["access-control-allow-origin"] == DESK


async def test_without_named_pages_nobody_asks(http: httpx.AsyncClient) -> None:
    answer = await http.options("/v1/me", headers=_preflight(DESK))
    assert (answer.status_code, answer.json()["type"]) == (405, "/docs/errors/method-not-allowed")
