"""Long answers: rows are read, written and sent a slice at a time, as fast as the client takes them.

A client that goes away stops the reading. What breaks on the way breaks the connection: no body is ended as if it were
whole.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.formats.writers import Writer
from api.problems import Problem
from api.ranges.slices import Frames, ahead
from pipeline.schema import PUBLIC

_RETRY_AFTER_S: Final = 10
_PIECE: Final = 5_000  # rows of text that are written at once


class Streams:
    """The places for long answers of this process; of several a customer never holds all."""

    def __init__(self, most: int = 2, otherwise: str = ", or ask for pages with limit=10000") -> None:
        self.most = most
        self._otherwise = otherwise
        self._held = Counter[str]()

    def take(self, tenant: str) -> Callable[[], None]:
        """Takes a place; what gives it back, once. A 503 problem where none is free."""
        own = self.most if tenant == PUBLIC else max(1, self.most - 1)
        if self._held.total() >= self.most or self._held[tenant] >= own:
            detail = "There is no place for one more long answer of yours here. Come again in "
            detail += f"{_RETRY_AFTER_S} seconds{self._otherwise}."
            raise Problem(503, "too-many-streams", detail, headers={"Retry-After": str(_RETRY_AFTER_S)})
        self._held[tenant] += 1
        given = iter([None])

        def give_back() -> None:
            if next(given, 1) is None:
                self._held[tenant] -= 1
                self._held += Counter()  # forgets who holds none

        return give_back


class Streamed(StreamingResponse):
    """The answer; `ended` is called when it is over, however it ends. HEAD gets its head."""

    def __init__(
        self, body: AsyncGenerator[bytes], headers: Mapping[str, str], media_type: str, ended: Callable[[], None]
    ) -> None:
        super().__init__(body, headers=headers, media_type=media_type)
        self._body = body
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with aclosing(self._body):
                if scope["state"].get("bodiless"):
                    await self._head(send)
                else:
                    await super().__call__(scope, receive, send)
        finally:
            self._ended()

    async def _head(self, send: Send) -> None:
        """As the answer begins, without what it holds."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def begun(frames: Frames) -> Frames:
    """The same frames, of which the first is there: what cannot be read at all is refused before anything is sent."""
    first = await anext(frames)

    async def every() -> Frames:
        async with aclosing(frames):
            yield first
            async for rows in frames:
                yield rows

    return ahead(every())


async def written(
    frames: Frames, made: Writer, count: Callable[[int], None], *, in_pieces: bool
) -> AsyncGenerator[bytes]:
    """The bytes of all frames; text, which is long, in pieces. `count` is told of the rows that are sent."""
    async with aclosing(frames):
        async for rows in frames:
            pieces = rows.iter_slices(_PIECE) if in_pieces and rows.height else iter([rows])
            for piece in pieces:
                held = await asyncio.to_thread(made.write, piece)
                count(piece.height)
                yield held
    yield await asyncio.to_thread(made.finish)
