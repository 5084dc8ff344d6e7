"""Routes that will go are told once, at the line that asks."""

import warnings

import httpx
import pytest

from gridtick.client import AsyncClient, Client

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
HEADERS = {
    "Deprecation": "@1782864000",
    "Sunset": "Thu, 31 Dec 2026 23:59:59 GMT",
    "Link": '</v1/bars?cursor=x>; rel="next", </docs/moving>; rel="deprecation"; type="text/html"',
}


def _answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"data": [], "next": None, "points": []}, headers=HEADERS)


def test_each_route_is_told_once() -> None:
    client = Client("http://api.test", KEY, transport=httpx.MockTransport(_answer))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        list(client.ticks("A"))
        list(client.ticks("B"))
        client.curves.latest("c")
        client.curves.latest("d")
    assert {each.category for each in told} == {DeprecationWarning}
    assert [str(each.message) for each in told] == [
        f"GET {route} is deprecated. It ends on Thu, 31 Dec 2026 23:59:59 GMT. See /docs/moving for what to do."
        for route in ("/v1/ticks", "/v1/curves/{curve}/snapshots/latest")
    ]
    assert {each.filename for each in told} == {__file__}


async def test_the_async_client_tells_it_too() -> None:
    async with AsyncClient("http://api.test", KEY, transport=httpx.MockTransport(_answer)) as client:
        with pytest.warns(DeprecationWarning, match="GET /v1/me is deprecated") as told:
            await client.me()
    assert [each.filename for each in told] == [__file__]


def test_other_answers_are_quiet() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={}, headers={"Sunset": "x", "Link": HEADERS["Link"]})

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Client("http://api.test", KEY, transport=httpx.MockTransport(answer)).me()
