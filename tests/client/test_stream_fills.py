"""A gap that cannot be filled for now: the stream goes on where it was before, and each row comes once, in order."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from gridtick.client import ApiError, CaughtUp, Forbidden, InvalidRequest, Reconnecting, Unauthorized, Unreachable
from tests.client.streaming import Script, Serve, Talk, got, is_seq, prices, tick

Answer = Callable[[httpx.Request], httpx.Response]
FILL = "/v1/changes?channel=ticks&since=x"


async def gone(talk: Talk) -> None:
    await talk.welcome()
    await talk.gap("window", FILL)
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


async def begun(talk: Talk) -> None:
    await talk.welcome()
    await talk.snapshot(10)
    await talk.update(10, 12, tick(8))


async def skipping(talk: Talk) -> None:
    await begun(talk)
    await talk.gap("slow", FILL, to_seq=14)
    await talk.rest()


async def cut_behind_a_gap(talk: Talk) -> None:
    await begun(talk)
    await talk.gap("slow", FILL, to_seq=14)
    await talk.close(4503)


async def losing(talk: Talk) -> None:
    await begun(talk)
    await talk.gap("lost", FILL)
    await talk.snapshot(20)
    await talk.caught_up(20)
    await talk.rest()


async def replaying(talk: Talk) -> None:
    """What the gap left out, from the token before it on."""
    await talk.welcome()
    await talk.heartbeat(12, "t12")
    await talk.update(12, 13, tick(0), tick(1), replayed=True)
    await talk.update(13, 14, tick(2), tick(3), replayed=True)
    await talk.caught_up(14)
    await talk.update(14, 15, tick(4))
    await talk.rest()


@pytest.mark.parametrize(("before", "failures"), [(skipping, 1), (cut_behind_a_gap, 0), (losing, 1)])
async def test_what_an_old_token_replays_follows_it(
    serve: Serve, pauses: list[float], before: Script, failures: int
) -> None:
    """Not the gap: its number is that of no token that came."""
    server = serve(before, replaying)
    found = await got(is_seq(15), answer=failing(failures, refusal(503)))
    assert prices(found) == [8, 0, 1, 2, 3, 4]
    assert [asked.get("resume") for asked in server.asked] == [None, "t12"]
    assert len(pauses) == 1


async def test_a_token_behind_a_filled_gap_has_its_number(serve: Serve) -> None:
    async def told(talk: Talk) -> None:
        await begun(talk)
        await talk.gap("slow", FILL, to_seq=14)
        await talk.heartbeat(14, "t14")
        await talk.close(4503)

    async def on(talk: Talk) -> None:
        await talk.welcome()
        await talk.update(14, 15, tick(4))
        await talk.rest()

    server = serve(told, on)
    assert prices(await got(is_seq(15), answer=failing(0, silent))) == [8, 0, 1, 2, 3, 4]
    assert server.asked[1]["resume"] == "t14"


@pytest.mark.parametrize("wanted", [{}, {"from_": "2026-07-01T00:00:00Z"}])
async def test_patience_ends_though_the_server_knows_more_each_time(serve: Serve, wanted: dict[str, str]) -> None:
    """Live, and where history has caught up, that says nothing of whether a gap can be filled."""

    async def caught_up(talk: Talk) -> None:
        await begun(talk)
        await talk.caught_up(12)
        await talk.close(4503)

    async def parts(talk: Talk) -> None:
        await talk.welcome()
        await talk.gap("window", FILL)
        await talk.snapshot(20, part=1, parts=2)
        told = {"state": "live", "known_until": f"{2026 + len(server.asked)}-07-01T00:00:00Z", "subscriptions": []}
        await talk.send(type="heartbeat", server_time="2026-07-01T00:00:05Z", **told)
        await talk.snapshot(20, part=2, parts=2)
        await talk.rest()

    server = serve(caught_up, parts)
    async with asyncio.timeout(10):
        with pytest.raises(Unreachable, match="within 5 seconds no connection was good"):
            await got(lambda _: False, answer=refusal(503), patience=5, **wanted)
