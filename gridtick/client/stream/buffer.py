"""Frames that wait to be taken, so many bytes of them at most."""

import asyncio
from collections import deque
from typing import Final

MOST: Final = 8 << 20


class Buffer:
    """Frames in their order, and at their end what ended them. Who puts waits while it is full."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._frames = deque[str | bytes]()
        self._bytes = 0
        self._end: Exception | None = None
        self._changed = asyncio.Condition()

    async def put(self, frame: str | bytes) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._frames or self._bytes + len(frame) <= self._most)
            self._frames.append(frame)
            self._bytes += len(frame)
            self._changed.notify_all()

    async def take(self) -> str | bytes:
        """The next frame. Raises what ended them once all were taken."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._frames or self._end is not None)
            if not self._frames:
                assert self._end is not None
                raise self._end
            frame = self._frames.popleft()
            self._bytes -= len(frame)
            self._changed.notify_all()
            return frame

    async def end(self, error: Exception) -> None:
        async with self._changed:
            self._end = error
            self._changed.notify_all()
