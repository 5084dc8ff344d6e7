"""A TCP proxy on this machine that fails as networks do: it cuts, delays, stalls, and swallows what it is given."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

_READ: Final = 4096
_LITTLE: Final = 8192  # bytes that the system holds, so that who does not read is soon felt


class Proxy:
    """Of one client. `delay_s`: each piece comes that much later; `refusing`: nobody gets through."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.delay_s = 0.0
        self.refusing = False
        self.swallowing = False
        self.swallowed = 0  # bytes
        self._upstream = port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: dict[asyncio.Task[None], list[StreamWriter]] = {}
        self._deaf: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """All connections end without a word."""
        for writer in [each for writers in self._open.values() for each in writers]:
            writer.transport.abort()

    def half_open(self) -> None:
        """Nothing that is sent on the present connections arrives any more, and neither side is told; new ones are
        accepted, and nobody answers."""
        self._deaf |= set(self._open)
        self.swallowing = True

    def stall(self) -> None:
        """What the server sends waits; what the client says goes on."""
        self._flowing.clear()

    def heal(self) -> None:
        """As it was; what was swallowed stays so."""
        self._flowing.set()
        self.delay_s, self.refusing, self.swallowing = 0.0, False, False

    async def handle(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = [writer]
        try:
            with suppress(OSError):
                await self._carry(task, reader, writer)
        finally:
            for each in self._open.pop(task):
                each.transport.abort()
            self._deaf.discard(task)

    async def _carry(self, task: asyncio.Task[None], reader: StreamReader, writer: StreamWriter) -> None:
        if self.refusing:
            return
        if self.swallowing:
            self._deaf.add(task)
            await self._swallow(reader)
            return
        there, back = await asyncio.open_connection(sock=await _connected(self._upstream), limit=_READ)
        self._open[task].append(back)
        pumps = self._pump(task, reader, back, down=False), self._pump(task, there, writer, down=True)
        both = [asyncio.ensure_future(each) for each in pumps]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _pump(self, task: asyncio.Task[None], source: StreamReader, sink: StreamWriter, *, down: bool) -> None:
        while data := await source.read(_READ):
            if down:
                await self._flowing.wait()
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if task in self._deaf:
                self.swallowed += len(data)
            else:
                sink.write(data)
                await sink.drain()

    async def _swallow(self, reader: StreamReader) -> None:
        while data := await reader.read(_READ):
            self.swallowed += len(data)


async def _connected(port: int) -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LITTLE)
    try:
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    except OSError:
        made.close()
        raise
    return made


@asynccontextmanager
async def opened(port: int) -> AsyncGenerator[Proxy]:
    """A proxy before a port of this machine."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0, limit=_READ)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.heal()
        proxy.cut()
        await server.wait_closed()
