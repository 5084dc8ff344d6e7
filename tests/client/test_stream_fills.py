"""A gap that cannot be filled for now: the stream goes on where it was before, and each row comes once, in order."""

from collections.abc import Callable

import httpx
import pytest

from gridtick.client import ApiError, CaughtUp, Forbidden, InvalidRequest, Reconnecting, Unauthorized, Unreachable
from tests.client.streaming import Serve, Talk, got, is_seq, prices, tick

Answer = Callable[[httpx.Request], httpx.Response]


async def gone(talk: Talk) -> None:
    await talk.welcome()
    await talk.gap("window", "/v1/changes?channel=ticks&since=x")
    await talk.snapshot(20, tick(3))
    await talk.caught_up(20)
    await talk.update(20, 21, tick(4))
    await talk.rest()


def failing(times: int, failure: Answer) -> Answer:
    """The second page fails so often."""
    left = iter([True] * times)

    def answer(request: httpx.Request) -> httpx.Response:
        is_second = "cursor" in request.url.params
        if is_second and next(left, False):
            return failure(request)
        rows = [tick(2), tick(3)] if is_second else [tick(0), tick(1)]
        return httpx.Response(200, json={"data": rows, "next": None if is_second else "2"})

    return answer


def refusal(status: int, **headers: str) -> Answer:
    return lambda _: httpx.Response(status, headers=headers, json={"detail": "Away."})


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("too long", request=request)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, None])
async def test_what_passes_is_gone_over(serve: Serve, pauses: list[float], status: int | None) -> None:
    server = serve(gone)
    failure = silent if status is None else refusal(status)
    found = await got(is_seq(21), answer=failing(3, failure), resume="old")
    assert prices(found) == [3, 0, 1, 3, 3, 3, 2, 4]  # each snapshot is told, what it left out once
    assert [asked["resume"] for asked in server.asked] == ["old"] * 4
    assert len(pauses) == 3
    again = [each.reason for each in found if isinstance(each, Reconnecting)]
    assert all(each.startswith("a gap cannot be filled now: ") for each in again)


async def test_it_comes_again_when_it_is_told_to(serve: Serve, pauses: list[float]) -> None:
    serve(gone)
    away = refusal(503, **{"Retry-After": "77"})  # longer than a request itself is held back
    await got(is_seq(21), answer=failing(1, away), patience=200)
    assert 77 <= pauses[0] < 78


async def test_patience_ends(serve: Serve) -> None:
    serve(gone)
    with pytest.raises(Unreachable, match=r"^A gap cannot be filled now: Away\., and within 5 seconds"):
        await got(lambda each: isinstance(each, CaughtUp), answer=refusal(503), patience=5)


@pytest.mark.parametrize(("status", "kind"), [(401, Unauthorized), (403, Forbidden), (422, InvalidRequest)])
async def test_what_stays_is_an_error(serve: Serve, pauses: list[float], status: int, kind: type[ApiError]) -> None:
    serve(gone)
    with pytest.raises(kind, match="Away"):
        await got(is_seq(21), answer=failing(1, refusal(status)))
    assert pauses == []
