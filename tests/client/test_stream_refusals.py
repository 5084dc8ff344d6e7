"""What the server cannot follow for now is asked for again; what it will never follow is an error."""

import asyncio

import pytest

from gridtick.client import Reconnecting, StreamRefused, Unreachable
from tests.client.streaming import Script, Serve, Talk, calm, got, is_seq

PASSING = ["store-away", "too-many-replays"]
FINAL = ["not-begun", "bad-resume", "history-limit", "scope-missing", "bad-message", "replay-failed"]


def refusing(code: str, *, beats: bool = False) -> Script:
    """Answers the subscription with that error; `beats`: after a heartbeat that knows of no subscription."""

    async def refuse(talk: Talk) -> None:
        await talk.welcome()
        if beats:
            told = {"state": "live", "known_until": "2026-07-01T00:00:00Z", "subscriptions": []}
            await talk.send(type="heartbeat", server_time="2026-07-01T00:00:05Z", **told)
        await talk.send(type="error", id=1, code=code, detail="Try again.", fatal=False)
        await talk.rest()

    return refuse


@pytest.mark.parametrize("code", PASSING)
async def test_what_passes_is_waited_for(serve: Serve, pauses: list[float], code: str) -> None:
    server = serve(refusing(code), refusing(code), calm)
    found = await got(is_seq(15), resume="mine")
    assert [asked["resume"] for asked in server.asked] == ["mine"] * 3
    again = [each for each in found if isinstance(each, Reconnecting)]
    assert [each.wait_seconds for each in again] == pauses
    assert {each.reason for each in again} == {f"the server cannot follow what is asked for now: Try again. ({code})"}


@pytest.mark.parametrize("code", PASSING)
async def test_patience_ends_though_heartbeats_come(serve: Serve, code: str) -> None:
    """A connection on which nothing is told is no good one."""
    serve(refusing(code, beats=True))
    async with asyncio.timeout(10):
        with pytest.raises(Unreachable, match=f"{code}.*, and within 5 seconds no connection was good"):
            await got(lambda _: False, patience=5)


async def test_history_that_goes_on_is_a_good_connection(serve: Serve, pauses: list[float]) -> None:
    """Of history no heartbeat names a token, but how far it is."""

    async def onward(talk: Talk) -> None:
        await talk.welcome()
        told = {"state": "live", "known_until": f"2026-07-{len(server.asked):02}T00:00:00Z", "subscriptions": []}
        await talk.send(type="heartbeat", server_time="2026-07-01T00:00:05Z", **told)
        await talk.close(1012)

    server = serve(*[onward] * 12, calm)
    await got(is_seq(15), from_="2026-07-01T00:00:00Z", speed=1)
    assert len(pauses) == 12
    assert max(pauses) <= 0.5


@pytest.mark.parametrize("code", FINAL)
async def test_what_stays_is_an_error_at_once(serve: Serve, pauses: list[float], code: str) -> None:
    serve(refusing(code))
    with pytest.raises(StreamRefused, match=code) as caught:
        await got(lambda _: False, resume="mine")
    assert (caught.value.code, caught.value.resume, pauses) == (code, "mine", [])
