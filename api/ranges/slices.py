"""A long range read a slice at a time: never more than two of them are in memory.

The cuts follow a count of the rows by hours, and each part is read in pages of its own: a count that is not right any
more makes parts longer or shorter, and loses nothing. A price that is there from the first read to the last stands in
exactly one slice, whatever is written meanwhile.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from api.reads.ports import Page, Window

ROWS: Final = 25_000  # of a slice: some 30 MiB while it is worked on
_HOUR: Final = timedelta(hours=1)

Read = Callable[[Window], Awaitable[Page]]
Frames = AsyncGenerator[pl.DataFrame]


def cuts(counted: pl.DataFrame, window: Window) -> list[datetime]:
    """Where the parts of the range begin, of about `ROWS` rows each: the first at its start. `counted`: `hour, rows`.

    Within an hour of more rows they are taken to be spread evenly.
    """
    found, gathered = [window.start], 0
    for hour, rows in counted.select("hour", "rows").iter_rows():
        if gathered and gathered + rows > ROWS:
            found.append(hour)
            gathered = 0
        parts = -(-rows // ROWS)
        found += [hour + n * _HOUR / parts for n in range(1, parts)]
        gathered += rows // max(parts, 1)
    return [found[0], *(each for each in found[1:] if window.start < each < window.end)]


def windows(starts: Sequence[datetime], whole: Window, rows: int = ROWS) -> Iterator[Window]:
    """The parts of the range that begin there, to be read so many rows at a time."""
    for start, end in zip(starts, [*starts[1:], whole.end], strict=True):
        yield Window(start, end, whole.after, rows)


async def read(pages: Read, parts: Iterator[Window], most: int) -> Frames:
    """The rows of all parts in their order, at most so many. There is a first frame even if no row is."""
    left, told = most, False
    for part in parts:
        following: object | None = part.after
        while left:
            page = await pages(replace(part, after=following, limit=min(part.limit, left)))
            left -= page.rows.height
            if page.rows.height or not told:
                told = True
                yield page.rows
            if (following := page.following) is None:
                break


async def ahead(frames: Frames) -> Frames:
    """The same frames: the next one is read while this one is worked on."""
    async with aclosing(frames):
        coming = asyncio.ensure_future(anext(frames, None))
        try:
            while (found := await coming) is not None:
                coming = asyncio.ensure_future(anext(frames, None))
                yield found
        finally:
            await _ended(coming)


async def _ended(task: "asyncio.Future[pl.DataFrame | None]") -> None:
    """Stops what nobody waits for any more."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # looked at, so that it is not reported as forgotten
