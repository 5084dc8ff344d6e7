"""The stream while nothing comes: what is told of it, and for how long a server is waited for."""

import asyncio
import math
import time
from typing import Any

import pytest

from gridtick.client import (
    Message,
    Reconnecting,
    StreamSnapshot,
    StreamStalled,
    Unreachable,
)
from tests.client.streaming import Serve, Talk, calm, got, is_seq


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
