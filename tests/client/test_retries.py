"""What is sent again, when, and what never is."""

import itertools
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gridtick.client import ApiError, AsyncClient, Client, TooManyRequests, Unavailable, Unreachable
from gridtick.client.asked import Ask
from gridtick.client.retrying import Retries, full_jitter
from gridtick.client.stream.backoff import BASE, CAP, Backoff

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
ME = {"key_id": "k", "name": "n", "tenant": "t", "readable_tenants": ["t"], "role": "viewer", "scopes": []}
Outcome = httpx.Response | type[httpx.RequestError]


class Api:
    """Gives these outcomes one after another, the last one again where no more are left."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.asked: list[httpx.Request] = []
        self._outcomes = list(outcomes)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, httpx.Response):
            return httpx.Response(outcome.status_code, headers=outcome.headers, content=outcome.content)
        raise outcome("broken", request=request)


def _later(status: int, seconds: str | None) -> httpx.Response:
    headers = {} if seconds is None else {"Retry-After": seconds}
    return httpx.Response(status, json={"detail": "Later.", "request_id": "r"}, headers=headers)


def _fine() -> httpx.Response:
    return httpx.Response(200, json=ME)


def _client(api: Api, **how: Any) -> Client:
    return Client("http://api.test", KEY, transport=httpx.MockTransport(api), **how)


BROKEN = [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadError, httpx.RemoteProtocolError]


@pytest.mark.parametrize("first", [*BROKEN, _later(429, "7"), _later(503, "7")])
async def test_a_read_is_sent_again(waits: list[float], first: Any) -> None:
    blocking, awaited = Api(first, _fine()), Api(first, _fine())
    assert _client(blocking).me()["tenant"] == "t"
    async with AsyncClient("http://api.test", KEY, transport=httpx.MockTransport(awaited)) as client:
        assert (await client.me())["tenant"] == "t"
    assert (len(blocking.asked), len(awaited.asked), len(waits)) == (2, 2, 2)
    least = 7 if isinstance(first, httpx.Response) else 0
    assert all(least <= wait <= least + 0.25 for wait in waits)


@pytest.mark.parametrize(
    "only",
    [httpx.ReadTimeout, httpx.PoolTimeout, _later(503, None), _later(429, "31"), _later(500, "1"), _later(404, "1")],
)
def test_what_would_not_help_is_not(waits: list[float], only: Any) -> None:
    api = Api(only)
    with pytest.raises((ApiError, Unreachable)):
        _client(api).me()
    assert (len(api.asked), waits) == (1, [])


@pytest.mark.parametrize(("outcome", "kind"), [(_later(503, "1"), Unavailable), (httpx.ConnectError, Unreachable)])
def test_it_ends(waits: list[float], outcome: Any, kind: type[Exception]) -> None:
    for retries in (0, 2):
        api = Api(outcome)
        with pytest.raises(kind):
            _client(api, retries=retries).me()
        assert len(api.asked) == retries + 1
    assert len(waits) == 2


def test_pages_of_a_list_are_each_sent_again(waits: list[float]) -> None:
    first = httpx.Response(200, json={"data": [{"price": 1}], "next": "c"})
    api = Api(first, httpx.ReadError, httpx.Response(200, json={"data": [{"price": 2}], "next": None}))
    assert [row["price"] for row in _client(api).ticks("A")] == [1, 2]
    assert [request.url.params.get("cursor") for request in api.asked] == [None, "c", "c"]
    assert len(waits) == 1


CHANGES: list[Callable[[Client], object]] = [
    lambda client: client.keys.create("n", "viewer"),
    lambda client: client.keys.revoke("k"),
    lambda client: client.tenants.change("t", name="x"),
    lambda client: client.dead_letters.replay(["x"]),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("outcome", [httpx.ReadError, _later(503, "1"), _later(429, "1")])
def test_a_change_is_not_sent_again(waits: list[float], change: Callable[[Client], object], outcome: Any) -> None:
    """It may have happened."""
    api = Api(outcome)
    with pytest.raises((Unavailable, Unreachable, TooManyRequests)):
        change(_client(api))
    assert (len(api.asked), waits) == (1, [])


def test_a_change_that_happens_once_is_sent_again(waits: list[float]) -> None:
    api = Api(httpx.ReadError, httpx.Response(201, json={"id": "k"}))
    assert _client(api).keys.create("n", "viewer", once="only-once")["id"] == "k"
    assert [request.headers["idempotency-key"] for request in api.asked] == ["only-once"] * 2
    assert [request.content for request in api.asked] == [b'{"name":"n","role":"viewer"}'] * 2
    assert len(waits) == 1


def test_waits_grow_up_to_a_cap_and_are_random() -> None:
    assert [full_jitter(turn, 0.5, 30, lambda: 1.0) for turn in (0, 1, 2, 6, 500)] == [0.5, 1, 2, 30, 30]
    assert full_jitter(3, 0.5, 30, lambda: 0.25) == 1
    retries = Retries(chance=lambda: 0.5)
    ask = Ask("GET", "/")
    assert [retries.after_failure(ask, turn, httpx.ReadError("")) for turn in range(4)] == [0.125, 0.25, 0.5, None]


def test_a_stream_waits_longer_until_a_connection_is_good() -> None:
    seconds = itertools.count()
    backoff = Backoff(100, chance=lambda: 1.0, clock=lambda: float(next(seconds)))
    assert [backoff.next() for _ in range(3)] == [BASE, 2 * BASE, 4 * BASE]
    assert backoff.next(9) == 9 + 8 * BASE
    backoff.good()
    assert backoff.next() == BASE
    waits = [backoff.next() for _ in range(8)]
    assert waits[-1] == CAP
    now = iter([0.0, 99.0, 99.8])
    backoff = Backoff(100, chance=lambda: 1.0, clock=lambda: next(now))
    assert [backoff.next(), backoff.next(), backoff.next()] == [BASE, 2 * BASE, None]
