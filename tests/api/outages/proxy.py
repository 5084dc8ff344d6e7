"""A TCP proxy on the loopback that a store is reached through, and that can be broken in several ways."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress
from typing import Any, Final, Literal, TypeVar

Mode = Literal["pass", "refuse", "silent", "slow", "cut"]
SLOW_S: Final = 0.3
_PIECE: Final = 65_536
T = TypeVar("T")


class Door:
    """One store's door. `pass`: open; `refuse`: closed, and all connections broken; `silent`: connections are taken and
    nothing is ever answered, and those of that time stay so for ever; `slow`: each answer begins `SLOW_S` later; `cut`:
    a connection breaks once `cut_after` bytes of answers have gone through the door since.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self.port = 0
        self.mode: Mode = "pass"
        self.cut_after = 0

    async def turn(self, mode: Mode, cut_after: int = 0) -> None:
        self.mode, self.cut_after = mode, cut_after
        if mode == "refuse":
            await self._close()
        elif self._server is None:
            self._server = await asyncio.start_server(self._taken, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
        if mode == "silent":
            for link in self._links:
                link.is_dead = True

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self._links):
            link.abort()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(self, reader, writer)
        self._links.add(link)
        try:
            with suppress(OSError):
                await link.run(*self._target)
        finally:
            link.abort()
            self._links.discard(link)


class _Link:
    """A connection of a client, and its own one to the server."""

    def __init__(self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._door = door
        self._ends = [writer]
        self._reader = reader
        self._asked = False
        self.is_dead = door.mode == "silent"

    async def run(self, host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        self._ends.append(writer)
        there = asyncio.ensure_future(self._there(writer))
        back = asyncio.ensure_future(self._back(reader))
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        there.cancel()
        back.cancel()
        await asyncio.gather(there, back, return_exceptions=True)

    def abort(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def _there(self, server: asyncio.StreamWriter) -> None:
        while sent := await self._reader.read(_PIECE):
            if not self.is_dead:
                self._asked = True
                server.write(sent)
                await server.drain()

    async def _back(self, server: asyncio.StreamReader) -> None:
        client = self._ends[0]
        while answer := await server.read(_PIECE):
            if self._door.mode == "slow" and self._asked:
                await asyncio.sleep(SLOW_S)
            self._asked = False
            if not self.is_dead:
                client.write(answer)
                await client.drain()
            if self._door.mode == "cut":
                self._door.cut_after -= len(answer)
                if self._door.cut_after < 0:
                    return


class Doors:
    """Doors that are turned from the thread of the tests."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def open(self, host: str, port: int) -> Door:
        door = Door(host, port)
        self.turn(door, "pass")
        return door

    def turn(self, door: Door, mode: Mode, cut_after: int = 0) -> None:
        self._run(door.turn(mode, cut_after))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@contextmanager
def doors() -> Generator[Doors]:
    """In a thread of their own: a test that blocks does not stop them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Doors(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
