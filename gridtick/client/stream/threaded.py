"""The stream for programs that block: the other one, on an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import CancelledError, Future, wait
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from gridtick.client.stream.engine import AsyncStream
from gridtick.client.stream.messages import Message, RowT

T = TypeVar("T")
_PIECE_S: Final = 0.2


class Stream(Iterator[Message[RowT]], Generic[RowT]):
    """Messages as they come, over interruptions, without holes and without repeats.

    Iterate it, and end it with `close()` or `with`. The connection is read and watched while the program does other
    things, so that a slow one is not taken for a stalled stream. Raises what `AsyncStream` raises.
    """

    def __init__(self, stream: AsyncStream[RowT]) -> None:
        self._stream = stream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gridtick-stream", daemon=True)
        self._coming: Future[Any] | None = None
        self._is_closed = False

    @property
    def resume(self) -> str | None:
        """The token behind the last message that was given: another stream can go on there."""
        return self._stream.resume

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message[RowT]:
        if self._is_closed:
            raise StopIteration
        try:
            return self._run(self._next())
        except (StopAsyncIteration, CancelledError):
            raise StopIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Ends the stream and its thread; also from another thread, where a message is waited for."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(self._coming), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():
            self._thread.start()
        self._coming = coming = asyncio.run_coroutine_threadsafe(work, self._loop)
        while True:
            # In pieces: where a system tells Ctrl-C to another thread, one that waits for good does not hear of it.
            wait([coming], _PIECE_S)
            if coming.done():
                return coming.result()

    async def _next(self) -> Message[RowT]:
        return await anext(self._stream)

    async def _end(self, coming: Future[Any] | None) -> None:
        """Nobody waits for a message any more, and the connection is closed."""
        if coming is not None:
            coming.cancel()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            for each in others:
                each.cancel()
            await asyncio.wait(others)
        await self._stream.aclose()
