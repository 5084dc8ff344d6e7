"""The stream: what comes is typed, in order, whole, and goes on over interruptions."""

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from gridtick.client import (
    AsyncClient,
    CaughtUp,
    Forbidden,
    GridtickError,
    Heartbeat,
    InvalidRequest,
    KeyRefused,
    NotFound,
    Reconnecting,
    StreamRefused,
    StreamSnapshot,
    TooManyConnections,
    Unauthorized,
    Unknown,
    Welcome,
)
from tests.client.streaming import KEY, Serve, Talk, calm, got, is_seq, nothing, prices, tick
from tests.polling import until


async def test_messages_are_typed_and_exact_and_the_key_is_in_a_header(serve: Serve) -> None:
    server = serve(calm)
    found = await got(is_seq(15), market="caiso", product="rt_5min", policy="skip")
    assert [type(each).__name__ for each in found] == [
        "Welcome", "Subscribed", "StreamSnapshot", "CaughtUp", "Update", "Update",
    ]  # fmt: skip
    assert prices(found) == [1, 2, Decimal("3.000000001")]
    assert all(isinstance(price, Decimal) for price in prices(found))
    wanted = {"op": "subscribe", "id": 1, "channel": "ticks", "policy": "skip"}
    assert server.asked == [wanted | {"filter": {"market": "caiso", "product": "rt_5min"}}]
    (request,) = server.requests
    assert (request.path, request.headers["Authorization"]) == ("/v1/stream", f"Bearer {KEY}")


async def test_a_cut_is_gone_over_with_the_newest_token(serve: Serve, pauses: list[float]) -> None:
    async def cut(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10)
        await talk.update(10, 12, tick(1))
        await talk.heartbeat(12, "newer")
        await talk.close(1012, "restart")

    async def on(talk: Talk) -> None:
        await talk.welcome()
        await talk.update(12, 13, tick(2), replayed=True)
        await talk.caught_up(13)
        await talk.update(13, 14, tick(3))
        await talk.rest()

    server = serve(cut, on)
    found = await got(is_seq(14), from_="2026-07-01T00:00:00Z", speed=0)
    assert prices(found) == [1, 2, 3]
    (again,) = [each for each in found if isinstance(each, Reconnecting)]
    assert (again.reason, [again.wait_seconds]) == ("the server closed it: restart", pauses)
    first, second = server.asked
    assert (first["from"], first["speed"], "resume" in first) == ("2026-07-01T00:00:00Z", 0, False)
    assert (second["resume"], "from" in second) == ("newer", False)


async def test_half_a_snapshot_is_no_place_to_go_on_from(serve: Serve) -> None:
    async def half(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10, tick(1), part=1, parts=2)
        await talk.heartbeat(10, "too early")
        await talk.close(4503)

    server = serve(half, calm)
    found = await got(lambda each: isinstance(each, CaughtUp), resume="mine")
    assert [asked["resume"] for asked in server.asked] == ["mine", "mine"]
    assert [each.part for each in found if isinstance(each, StreamSnapshot)] == [1, 1]


@pytest.mark.parametrize(
    ("code", "kind"), [(4400, StreamRefused), (4401, KeyRefused), (4408, KeyRefused), (4409, TooManyConnections)]
)
async def test_what_is_closed_for_good_is_not_tried_again(serve: Serve, code: int, kind: type[StreamRefused]) -> None:
    async def close(talk: Talk) -> None:
        await talk.welcome()
        await talk.update(None, 3)
        await talk.close(code, "no more")

    server = serve(close)
    with pytest.raises(kind, match="no more") as caught:
        await got(lambda _: False)
    assert (type(caught.value), caught.value.code, caught.value.resume) == (kind, code, "t3")
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", [1000, 1011, 1012, 4503, 4508, 4599])
async def test_other_ends_are_gone_over(serve: Serve, code: int) -> None:
    async def close(talk: Talk) -> None:
        await talk.close(code)

    serve(close, calm)
    assert any(isinstance(each, Reconnecting) for each in await got(is_seq(15)))


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorized), (403, Forbidden), (404, NotFound), (422, InvalidRequest)]
)
async def test_a_refusal_at_the_door_has_its_type(serve: Serve, status: int, kind: type[Exception]) -> None:
    server = serve(calm)
    server.refusals = [(status, {}, f'{{"detail":"Not {KEY}.","request_id":"r-7"}}')]
    with pytest.raises(kind, match=r"Not gt_live_abcdefghijkl…\. \(request r-7\)"):
        await got(is_seq(15))
    assert len(server.requests) == 1


async def test_a_server_that_is_not_ready_is_asked_again_when_it_says(serve: Serve, pauses: list[float]) -> None:
    server = serve(calm)
    server.refusals = [(503, {"Retry-After": "9"}, ""), (502, {}, "")]
    found = await got(is_seq(15))
    reasons = [each.reason for each in found if isinstance(each, Reconnecting)]
    assert reasons == ["http://api.test answers 503", "http://api.test answers 502"]
    assert pauses[0] >= 9 > pauses[1]


async def test_a_subscription_that_is_refused_ends_it(serve: Serve) -> None:
    async def refuse(talk: Talk) -> None:
        await talk.welcome()
        await talk.send(type="error", id=1, code="unknown-token", detail="Begin anew.", fatal=False)
        await talk.rest()

    serve(refuse)
    with pytest.raises(StreamRefused, match=r"Begin anew\. \(unknown-token\)") as caught:
        await got(lambda _: False)
    assert caught.value.code == "unknown-token"


async def test_what_is_not_known_is_handed_on(serve: Serve) -> None:
    async def novel(talk: Talk) -> None:
        await talk.welcome()
        await talk.send(type="weather", sky="blue")
        await talk.heartbeat(0, "h")
        await talk.rest()

    serve(novel)
    found = await got(lambda each: isinstance(each, Heartbeat))
    assert [each.frame["sky"] for each in found if isinstance(each, Unknown)] == ["blue"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "instruments or of a market"),
        ({"instruments": "A", "market": "caiso"}, "instruments or of a market"),
        ({"instruments": "A", "product": "rt_5min"}, "give `market` too"),
        ({"instruments": "A", "resume": "t", "from_": "2026-07-01T00:00:00Z"}, "one of the two"),
        ({"instruments": "A", "speed": 2}, "give `from_` too"),
    ],
)
async def test_what_contradicts_itself_is_refused_at_once(wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(GridtickError, match=words):
        AsyncClient("http://api.test", KEY).stream("prices", **wanted)


async def test_the_end_of_a_stream_ends_its_connection(serve: Serve) -> None:
    server = serve(calm)
    client = AsyncClient("http://api.test", KEY, transport=httpx.MockTransport(nothing))
    stream = client.stream("ticks", instruments="A")
    assert isinstance(await anext(stream), Welcome)
    await client.aclose()
    await asyncio.to_thread(until, lambda: server.running == 0)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
