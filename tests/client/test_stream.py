"""The stream: what comes is typed, in order, whole, and goes on over interruptions."""

import asyncio
import math
import time
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
    Message,
    NotFound,
    Reconnecting,
    SequenceBroken,
    StreamRefused,
    StreamSnapshot,
    StreamStalled,
    TooManyConnections,
    Unauthorized,
    Unknown,
    Unreachable,
    Welcome,
)
from tests.client.streaming import KEY, Serve, Talk, got, is_seq, nothing, prices, tick
from tests.polling import until


async def calm(talk: Talk) -> None:
    """A snapshot and two updates, and nothing more."""
    await talk.welcome()
    await talk.snapshot(10, tick(1))
    await talk.caught_up(10)
    await talk.update(10, 12, tick(2))
    await talk.update(12, 15, tick(3) | {"price": 3.000000001})
    await talk.rest()


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


async def test_a_missing_message_is_fetched_by_resuming(serve: Serve) -> None:
    async def drops(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10)
        await talk.update(10, 11, tick(1))
        await talk.update(12, 13, tick(3))
        await talk.rest()

    async def whole(talk: Talk) -> None:
        await talk.welcome()
        await talk.update(11, 12, tick(2), replayed=True)
        await talk.update(12, 13, tick(3), replayed=True)
        await talk.rest()

    server = serve(drops, whole)
    assert prices(await got(is_seq(13))) == [1, 2, 3]
    assert server.asked[1]["resume"] == "t11"


@pytest.mark.parametrize("resumed", ["t10", None])
async def test_a_break_that_stays_is_an_error(serve: Serve, resumed: str | None) -> None:
    async def drops(talk: Talk) -> None:
        await talk.welcome()
        if not server.asked[-1].get("resume"):
            await talk.snapshot(10)
        await talk.update(11, 13)
        await talk.rest()

    server = serve(drops)
    with pytest.raises(SequenceBroken, match="13 follows 11, but the last one was 10") as caught:
        await got(is_seq(13))
    assert (caught.value.resume, len(server.asked)) == ("t10", 2)


@pytest.mark.parametrize("broken", ["heartbeat", "part", "early", "again"])
async def test_every_kind_of_break_is_seen(serve: Serve, broken: str) -> None:
    async def breaks(talk: Talk) -> None:
        await talk.welcome()
        if broken in {"part", "early"}:
            await talk.snapshot(10, part=1, parts=3)
            await (talk.snapshot(10, part=3, parts=3) if broken == "part" else talk.update(10, 11))
        else:
            await talk.snapshot(10)
            await talk.update(10, 11)
            await (talk.heartbeat(12, "t12") if broken == "heartbeat" else talk.update(10, 11))
        await talk.close(4400)

    serve(breaks)
    with pytest.raises(SequenceBroken):
        await got(lambda _: False)


async def test_two_missed_heartbeats_are_told(serve: Serve) -> None:
    server = serve(calm, heartbeat_s=0.05)
    with pytest.raises(StreamStalled, match=r"Nothing came for 0\.1 seconds") as caught:
        await got(lambda _: False)
    assert (caught.value.resume, len(server.asked)) == ("t15", 1)


async def test_a_stall_is_gone_over_where_that_is_wanted(serve: Serve) -> None:
    async def on(talk: Talk) -> None:
        await talk.welcome()
        await talk.update(15, 16)
        await talk.rest()

    server = serve(calm, on, heartbeat_s=0.05)
    found = await got(is_seq(16), on_stall="reconnect")
    (again,) = [each for each in found if isinstance(each, Reconnecting)]
    assert again.reason.startswith("nothing came for 0.1 seconds")
    assert server.asked[1]["resume"] == "t15"


async def test_a_program_that_was_held_up_is_not_stalled(serve: Serve) -> None:
    """What came while nothing ran here is found before silence is told."""

    async def ticking(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10)
        for number in range(11, 40):
            await talk.update(number - 1, number)
            await asyncio.sleep(0.05)  # the pace of a server

    serve(ticking, heartbeat_s=0.2)
    held = iter([True])

    def hold(message: Message[Any]) -> bool:
        if isinstance(message, StreamSnapshot) and next(held, False):
            time.sleep(0.6)  # the loop stands still for three heartbeats
        return is_seq(20)(message)

    assert is_seq(20)((await got(hold))[-1])


async def test_patience_ends(serve: Serve, pauses: list[float]) -> None:
    async def close(talk: Talk) -> None:
        await talk.close(4503)

    serve(close)
    with pytest.raises(Unreachable, match=r"^The server closed it \(code 4503\), and within 0 seconds"):
        await got(lambda _: False, patience=0)
    assert pauses == []
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await got(lambda _: False, patience=math.inf)
    assert len(pauses) > 3


async def test_nothing_there_is_tried_again(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise ConnectionRefusedError

    monkeypatch.setattr("gridtick.client.stream.wire.connect", refused)
    found = await got(lambda _: len(pauses) == 4)
    assert {each.reason for each in found if isinstance(each, Reconnecting)} == {
        "http://api.test does not answer (ConnectionRefusedError)"
    }


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


async def test_what_is_no_message_is_another_connection_and_then_an_error(serve: Serve) -> None:
    async def noise(talk: Talk) -> None:
        await talk.welcome()
        await talk.send(type="update", id=1)
        await talk.rest()

    server = serve(noise)
    with pytest.raises(GridtickError, match="none of this protocol"):
        await got(lambda _: False)
    assert len(server.asked) == 2


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


async def test_history_that_others_are_told_is_asked_for_again(serve: Serve, pauses: list[float]) -> None:
    async def busy(talk: Talk) -> None:
        await talk.welcome()
        await talk.send(type="error", id=1, code="too-many-replays", detail="Try again.", fatal=False)
        await talk.rest()

    server = serve(busy, calm)
    found = await got(is_seq(15), from_="2026-07-01T00:00:00Z", speed=60)
    assert prices(found) == [1, 2, Decimal("3.000000001")]
    assert len(pauses) == 1
    assert [(asked["from"], asked["speed"]) for asked in server.asked] == [("2026-07-01T00:00:00Z", 60)] * 2


async def test_history_is_one_sequence_and_goes_on_where_it_was_cut_off(serve: Serve, pauses: list[float]) -> None:
    async def cut(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(0, tick(1))
        await talk.update(0, 0, tick(2), replayed=True)
        await talk.close(1012, "restart")

    async def on(talk: Talk) -> None:
        await talk.welcome()
        await talk.update(0, 0, tick(3), replayed=True)
        await talk.update(0, 12, tick(4), replayed=True)
        await talk.caught_up(12)
        await talk.update(12, 14, tick(5))
        await talk.rest()

    server = serve(cut, on)
    found = await got(is_seq(14), from_="2026-07-01T00:00:00Z", speed=60)
    assert prices(found) == [1, 2, 3, 4, 5]
    assert [("from" in asked, "resume" in asked) for asked in server.asked] == [(True, False), (False, True)]
    assert len(pauses) == 1
