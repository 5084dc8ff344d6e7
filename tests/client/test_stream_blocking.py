"""The stream of the blocking client: the same messages, watched from a thread."""

import asyncio
import threading
import time
from functools import partial
from typing import Any

import httpx
import pytest

from gridtick.client import Client, Filled, Heartbeat, KeyRefused, Reconnecting, Stream, StreamStalled, Update
from tests.client.streaming import KEY, Serve, Talk, nothing, prices, tick
from tests.polling import until


def _client(answer: Any = nothing) -> Client:
    return Client("http://api.test", KEY, transport=httpx.MockTransport(answer))


def _threads() -> int:
    return sum(thread.name == "gridtick-stream" for thread in threading.enumerate())


async def lively(talk: Talk) -> None:
    await talk.welcome()
    await talk.gap("lost", "/v1/changes?since=x")
    await talk.snapshot(10)
    await talk.update(10, 11, tick(2))
    await talk.close(1012)


async def resumed(talk: Talk) -> None:
    await talk.welcome()
    await talk.update(11, 12, tick(3))
    await talk.rest()


def test_it_fills_and_resumes_like_the_other_one(serve: Serve) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [tick(1)], "next": None})

    server = serve(lively, resumed)
    with _client(answer) as client:
        stream = client.stream("ticks", instruments="A")
        found: list[Any] = []
        while not (isinstance(message := next(stream), Update) and message.seq == 12):
            found.append(message)
        assert prices(found) == [1, 2]
        assert {Filled, Reconnecting} <= {type(each) for each in found}
        assert (message.data[0]["price"], stream.resume) == (3, "t12")
        assert server.asked[1]["resume"] == "t11"
    until(lambda: server.running == 0 and _threads() == 0, what="the connection and the thread end with the client")
    with pytest.raises(StopIteration):
        next(stream)


def test_a_slow_program_is_no_stall(serve: Serve) -> None:
    """The connection is read while the program does other things."""

    async def beating(talk: Talk) -> None:
        await talk.welcome()
        await talk.snapshot(10)
        for number in range(8):
            await _at(began + number * 0.05)
            await talk.heartbeat(10, f"h{number}")
        await talk.rest()

    began = time.monotonic()
    serve(beating, heartbeat_s=0.2)
    with _client() as client, client.stream("ticks", instruments="A") as stream:
        beats = 0
        for message in stream:
            if isinstance(message, Heartbeat):
                beats += 1
                until(lambda: time.monotonic() >= began + 0.45)  # longer than two heartbeats
            if beats == 8:
                break


def test_errors_come_through(serve: Serve) -> None:
    async def close(talk: Talk) -> None:
        await talk.welcome()
        await talk.close(4401, "revoked")

    serve(close)
    with _client() as client, pytest.raises(KeyRefused, match="revoked"):
        list(client.stream("ticks", instruments="A"))
    serve(resumed, heartbeat_s=0.05)
    with _client() as client, pytest.raises(StreamStalled):
        list(client.stream("ticks", instruments="A"))


def test_another_thread_ends_the_waiting(serve: Serve) -> None:
    server = serve(resumed)
    stream = _client().stream("ticks", instruments="A")
    seen: list[Any] = []
    waiting = threading.Thread(target=partial(_drain, stream, seen))
    waiting.start()
    until(lambda: len(seen) == 3)
    stream.close()
    waiting.join(10)
    assert not waiting.is_alive()
    until(lambda: server.running == 0)


def test_one_that_is_forgotten_ends(serve: Serve) -> None:
    server = serve(resumed)
    stream = _client().stream("ticks", instruments="A")
    next(stream)
    del stream
    until(lambda: server.running == 0 and _threads() == 0)


async def _at(instant: float) -> None:
    """The pace of a server."""
    await asyncio.sleep(max(0.0, instant - time.monotonic()))


def _drain(stream: Stream[Any], into: list[Any]) -> None:
    for each in stream:
        into.append(each)  # noqa: PERF402 - one by one, while they come
