"""Server-Sent Events: the frames of one subscription as the body of an answer."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Final

from api.live.frames import Frame, plain

_BUFFER: Final = 64 * 1024  # bytes that wait for the server: beyond it a client is slow


class Events:
    """The way over an answer's body (`api.live.connection.Way`)."""

    def __init__(self) -> None:
        self.resumed: Callable[[], None] = lambda: None
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._ended = False
        self._news = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()

    @property
    def ready(self) -> bool:
        return self._bytes < _BUFFER and not self._ended

    def write(self, frame: Frame) -> None:
        if self._ended:
            return
        self._frames.append(frame)
        self._bytes += len(frame.json)
        if not self.ready:
            self._free.clear()
        self._news.set()

    async def room(self) -> None:
        await self._free.wait()

    def send_away(self, code: int, reason: str) -> None:
        """What waits and why it ends are the last of it."""
        if self._ended:
            return
        self._frames.append(plain(type="closed", code=code, reason=reason))
        self._ended = True
        self._news.set()
        self._free.set()

    async def body(self) -> AsyncGenerator[bytes]:
        """Each event as bytes, until the client goes or is sent away."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._frames:
                frame = self._frames.popleft()
                yield event(frame)
                self._bytes -= len(frame.json)
            if self._ended:
                return
            self._free.set()
            self.resumed()


def event(frame: Frame) -> bytes:
    """As the standard has it: HTML, section 9.2. JSON of ours has no line breaks."""
    resume = f"id: {frame.token}\n" if frame.token else ""
    return f"event: {frame.type}\n{resume}data: ".encode() + frame.json + b"\n\n"
