"""A long range read a slice at a time: never more than two of them are unpacked in memory.

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
from service.tasks import stopped

ROWS: Final = 100_000  # of a part: what the engine does for each costs as much as 50,000 rows
_HOUR: Final = timedelta(hours=1)

Read = Callable[[Window], Awaitable[Page]]
Frames = AsyncGenerator[pl.DataFrame]
ReadParts = Callable[[Iterator[Window]], Frames]


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


async def paged(read: Read, parts: Iterator[Window]) -> Frames:
    """The rows of all parts in their order, a page at a time. There is a first frame even if no row is."""
    told = False
    for part in parts:
        following: object | None = part.after
        while True:
            page = await read(replace(part, after=following))
            if page.rows.height or not told:
                told = True
                yield page.rows
            if (following := page.following) is None:
                break


async def whole(read: Read, window: Window) -> pl.DataFrame:
    """All rows of a range, read so many at a time as its limit says."""
    return pl.concat([rows async for rows in paged(read, iter([window]))])


async def first(frames: Frames, most: int) -> Frames:
    """So many rows at most."""
    async with aclosing(frames):
        async for rows in frames:
            yield rows.head(most)
            if (most := most - rows.height) <= 0:
                return


async def ahead(frames: Frames) -> Frames:
    """The same frames: the next one is read while this one is worked on."""
    async with aclosing(frames):
        coming = asyncio.ensure_future(anext(frames, None))
        try:
            while (found := await coming) is not None:
                coming = asyncio.ensure_future(anext(frames, None))
                yield found
        finally:
            await stopped(coming)
