"""A stream that does what a test says: a real server on a socket of this machine's file system."""

import asyncio
import json
import tempfile
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import httpx
import pytest
from websockets.asyncio.client import unix_connect
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from gridtick.client import AsyncClient, Message, Update

Script: TypeAlias = "Callable[[Talk], Awaitable[None]]"
KEY: Final = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"


class Talk:
    """One connection, seen from the server."""

    def __init__(self, wire: ServerConnection, asked: list[dict[str, Any]], heartbeat_s: float) -> None:
        self._wire = wire
        self._asked = asked
        self._heartbeat_s = heartbeat_s

    async def welcome(self) -> None:
        """Says hello, takes the subscription and confirms it."""
        await self.send(
            type="welcome", version="1", server_time="2026-07-01T00:00:00Z", authenticated=True,
            heartbeat_seconds=self._heartbeat_s, resume_window={"seconds": 3600, "entries": 8000}, limits={},
        )  # fmt: skip
        self._asked.append(json.loads(await self._wire.recv()))
        await self.send(type="subscribed", id=1, subscriptions=[{"id": 1}], errors=[])

    async def send(self, **frame: Any) -> None:
        await self._wire.send(json.dumps(frame))

    async def snapshot(self, seq: int, *rows: dict[str, Any], part: int = 1, parts: int = 1) -> None:
        told = {"seq": seq, "prev_seq": None, "resume": f"t{seq}", "part": part, "parts": parts, "data": rows}
        await self.send(type="snapshot", id=1, channel="ticks", **told)

    async def update(self, prev_seq: int | None, seq: int, *rows: dict[str, Any], replayed: bool = False) -> None:
        told = {"seq": seq, "prev_seq": prev_seq, "resume": f"t{seq}", "replayed": replayed, "data": rows}
        await self.send(type="update", id=1, channel="ticks", **told)

    async def caught_up(self, seq: int) -> None:
        await self.send(type="caught_up", id=1, channel="ticks", seq=seq)

    async def heartbeat(self, seq: int, resume: str) -> None:
        told = {"subscriptions": [{"id": 7, "seq": 99, "resume": "other"}, {"id": 1, "seq": seq, "resume": resume}]}
        await self.send(type="heartbeat", server_time="2026-07-01T00:00:05Z", state="live", known_until=None, **told)

    async def gap(self, reason: str, *fill: str, to_seq: int | None = None) -> None:
        told = {"reason": reason, "fill": fill, "from_seq": 1, "to_seq": to_seq, "since": None, "until": None}
        await self.send(type="gap", id=1, channel="ticks", **told)

    async def close(self, code: int, reason: str = "") -> None:
        await self._wire.close(code, reason)

    async def rest(self) -> None:
        """Stays until the client goes."""
        await self._wire.wait_closed()


class Server:
    """Each connection follows the next script, and the last script again where no more are left."""

    def __init__(self, *scripts: Script, heartbeat_s: float = 30.0) -> None:
        self.asked: list[dict[str, Any]] = []
        self.requests: list[Request] = []
        self.refusals: list[tuple[int, dict[str, str], str]] = []
        self.running = 0  # connections that are open
        self._scripts = list(scripts)
        self._heartbeat_s = heartbeat_s

    async def handle(self, wire: ServerConnection) -> None:
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        self.running += 1
        try:
            await script(Talk(wire, self.asked, self._heartbeat_s))
        finally:
            self.running -= 1

    def look(self, _: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if not self.refusals:
            return None
        status, headers, body = self.refusals.pop(0)
        return Response(status, HTTPStatus(status).phrase, Headers(headers), body.encode())

    @contextmanager
    def serving(self, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
        """Serves from a thread of its own, and leads every stream here."""
        loop, stop = asyncio.new_event_loop(), asyncio.Event()
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "s")
            ready = threading.Event()
            thread = threading.Thread(target=lambda: loop.run_until_complete(self._serve(path, ready, stop)))
            thread.start()
            assert ready.wait(10)
            monkeypatch.setattr("gridtick.client.stream.wire.connect", partial(unix_connect, path))
            try:
                yield
            finally:
                loop.call_soon_threadsafe(stop.set)
                thread.join(10)
                loop.close()

    async def _serve(self, path: str, ready: threading.Event, stop: asyncio.Event) -> None:
        async with unix_serve(self.handle, path, process_request=self.look, close_timeout=0.5):
            ready.set()
            await stop.wait()


class Serve(Protocol):
    """Starts a server of these scripts."""

    def __call__(self, *scripts: Script, heartbeat_s: float = 30.0) -> Server: ...


def nothing(_: httpx.Request) -> httpx.Response:
    return httpx.Response(404)


def tick(number: int) -> dict[str, Any]:
    return {
        "tenant": "public", "instrument": "A", "interval_start": f"2026-07-01T00:{number:02}:00Z", "version": 0,
        "revision": 0, "known_at": f"2026-07-01T01:{number:02}:00Z", "price": number,
    }  # fmt: skip


async def got(
    until: Callable[[Message[Any]], bool],
    channel: Any = "ticks",
    answer: Callable[[httpx.Request], httpx.Response] = nothing,
    **wanted: Any,
) -> list[Message[Any]]:
    """The messages up to one; what else is asked for is answered so."""
    found: list[Message[Any]] = []
    wanted = {"patience": 20, **wanted}  # a test that goes wrong ends
    transport = httpx.MockTransport(answer)
    async with (
        AsyncClient("http://api.test", KEY, transport=transport) as client,
        client.stream(channel, **_named(wanted)) as stream,
    ):
        async for message in stream:
            found.append(message)
            if until(message):
                break
    return found


def _named(wanted: dict[str, Any]) -> dict[str, Any]:
    return wanted if {"instruments", "market"} & wanted.keys() else {"instruments": ["A"], **wanted}


def is_seq(number: int) -> Callable[[Message[Any]], bool]:
    return lambda message: isinstance(message, Update) and message.seq == number


def prices(messages: list[Message[Any]]) -> list[object]:
    return [row["price"] for message in messages for row in message.data]


async def calm(talk: Talk) -> None:
    """A snapshot and two updates, and nothing more."""
    await talk.welcome()
    await talk.snapshot(10, tick(1))
    await talk.caught_up(10)
    await talk.update(10, 12, tick(2))
    await talk.update(12, 15, tick(3) | {"price": 3.000000001})
    await talk.rest()
