"""Answers as Arrow, read a record batch at a time: no more than one batch and the bytes of the next are in memory."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx

from gridtick.client.asked import Listing
from gridtick.client.http import Api, AsyncApi
from gridtick.client.optional import needed
from gridtick.client.paging import Pager

if TYPE_CHECKING:
    import pyarrow as pa

MOST: Final = 10_000  # rows of an answer that is a page
_COMPLETE: Final = "gridtick-complete"
_HOW: Final = {"format": "arrow"}
_BUFFER: Final = 1 << 20

Taken: TypeAlias = Callable[[httpx.Response], None]
# The columns first, also where no row follows; then the rows.
Columns: TypeAlias = "Iterator[pa.Schema | pa.RecordBatch]"
AsyncColumns: TypeAlias = "AsyncIterator[pa.Schema | pa.RecordBatch]"


class _Bytes(io.RawIOBase):
    """A file of pieces that are taken as they are needed; None ends it."""

    def __init__(self, take: Callable[[], bytes | None]) -> None:
        self._take = take
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._left:
            piece = self._take()
            if piece is None:
                return 0
            self._left = piece
        size = min(len(into), len(self._left))
        into[:size], self._left = self._left[:size], self._left[size:]
        return size


class _Decoder:
    """The record batches of one answer."""

    def __init__(self, take: Callable[[], bytes | None]) -> None:
        self._file = io.BufferedReader(_Bytes(take), _BUFFER)
        self._pyarrow = needed("pyarrow", "arrow")
        self._reader: Any = None

    def schema(self) -> "pa.Schema":
        self._reader = self._pyarrow.ipc.open_stream(self._pyarrow.PythonFile(self._file, mode="r"))
        return self._reader.schema

    def next(self) -> "pa.RecordBatch | None":
        """The next one; None at the end, which the body has too: one that was cut off raises here."""
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            while self._file.read(_BUFFER):
                pass
            return None


def columns(api: Api, listing: Listing[Any], learn: Callable[[object], None]) -> Columns:
    """All rows of a list; `learn` is told whether each answer is complete."""
    pager, is_first = _pager(listing), True
    while (ask := pager.ask()) is not None:
        with api.streamed(ask) as answer:
            learn(_complete(answer))
            decoder = _Decoder(partial(next, answer.iter_bytes(), None))
            schema, rows = _strict(api, decoder.schema), 0
            if is_first:
                yield schema
            while (batch := _strict(api, decoder.next)) is not None:
                rows += batch.num_rows
                yield batch
        pager.took(rows, _following(answer))
        is_first = False


async def async_columns(api: AsyncApi, listing: Listing[Any], learn: Callable[[object], None]) -> AsyncColumns:
    """The same; a batch is unpacked in a thread, and the bytes for it are awaited here."""
    pager, is_first = _pager(listing), True
    while (ask := pager.ask()) is not None:
        async with api.streamed(ask) as answer, aclosing(_Pulled(answer.aiter_bytes())) as pulled:
            learn(_complete(answer))
            decoder = _Decoder(pulled.take)
            schema, rows = await pulled.run(partial(_strict, api, decoder.schema)), 0
            if is_first:
                yield schema
            while (batch := await pulled.run(partial(_strict, api, decoder.next))) is not None:
                rows += batch.num_rows
                yield batch
        pager.took(rows, _following(answer))
        is_first = False


class _Pulled:
    """Bytes that come on the event loop, for a thread that waits for them."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self._coming: Future[bytes | None] | None = None

    def take(self) -> bytes | None:
        """The next piece; called in the thread."""
        self._coming = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
        return self._coming.result()

    async def _next(self) -> bytes | None:
        return await anext(self._pieces, None)

    async def run(self, step: Callable[[], Any]) -> Any:
        """Runs a step in a thread. Where it is cancelled, the thread has ended before this returns."""
        running = asyncio.ensure_future(asyncio.to_thread(step))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if self._coming is not None:
                self._coming.cancel()
            await asyncio.wait([running])
            raise

    async def aclose(self) -> None:
        if self._coming is not None:
            self._coming.cancel()


def _strict(api: Api | AsyncApi, step: Callable[[], Any]) -> Any:
    """What a step gives; an answer that is no Arrow is none of ours."""
    try:
        return step()
    except needed("pyarrow", "arrow").ArrowInvalid as error:
        raise api.exchange.strange() from error


def _pager(listing: Listing[Any]) -> Pager:
    """Of long answers all at once; of one with a small `limit`, and of other lists, pages."""
    return Pager(listing, None if listing.is_long else min(listing.most or MOST, MOST), _HOW)


def _complete(answer: httpx.Response) -> object:
    return {"true": True, "false": False}.get(answer.headers.get(_COMPLETE, ""))


def _following(answer: httpx.Response) -> str | None:
    """The cursor of the page after this one."""
    address = answer.links.get("next", {}).get("url")
    return None if address is None else httpx.URL(address).params.get("cursor")
