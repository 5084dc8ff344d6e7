"""The reads of many rows over the real stores, and of how many there are."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from functools import partial

import polars as pl

from api.reads import positions
from api.reads.blocks import BlockReads
from api.reads.ports import Names, Window
from api.reads.register import TICK
from db.clickhouse import counts, plain, reads, stand
from db.clickhouse.counts import COUNTED, Counting
from db.clickhouse.frames import fetch_async, fetch_batches
from db.clickhouse.plain import WholePrices
from db.clickhouse.query import Query
from db.clickhouse.stand import STAND
from pipeline.publications import current
from pipeline.schema import SEEN, conform, empty
from service.tasks import stopped

_ORDER = reads.TickPosition._fields
_Read = Callable[[Window], Awaitable[WholePrices]]


class ManyReads(BlockReads):
    """That part of `api.reads.ports.Reads`."""

    async def many_ticks(
        self, tenants: Names, names: Names, parts: Iterator[Window], known: datetime | None
    ) -> AsyncGenerator[pl.DataFrame]:
        read, told = partial(self._publications, reads.Scope(tenants, names), known), False
        async with aclosing(_ahead(read, parts)) as windows:
            async for window, found in windows:
                async for rows in self._prices(read, window, found):
                    told = True
                    yield rows
        if not told:
            yield empty(TICK)

    async def _prices(self, read: _Read, window: Window, found: WholePrices) -> AsyncGenerator[pl.DataFrame]:
        """The prices of a part of which the first publications are read."""
        while True:
            for publications in found:
                yield conform(current(conform(publications, SEEN)), TICK)
            if found.is_stuck:
                window = replace(window, limit=2 * window.limit)
            elif found.goes_on is None:
                return
            else:
                going_on = {name: found.goes_on[name] for name in _ORDER}
                window = replace(window, after=positions.plain(going_on))
            found = await read(window)

    async def _publications(self, scope: reads.Scope, known: datetime | None, window: Window) -> WholePrices:
        position = positions.read_position(reads.TickPosition, window.after)
        span = reads.Range(window.start, window.end, window.limit + 1)
        async with self._watch.reading("clickhouse"):
            query = plain.read_publications(scope, span, position, known)
            return WholePrices(await fetch_batches(self._clickhouse, query), span.limit)

    async def count_publications(self, what: Counting, known: datetime | None) -> pl.DataFrame:
        return conform(await self._found(counts.publications(what, known)), COUNTED)

    async def count_prices(self, what: Counting, known: datetime | None) -> int:
        return (await self._found(counts.prices(what, known)))["n"][0]

    async def count_bars(self, what: Counting, interval: str) -> pl.DataFrame:
        return conform(await self._found(counts.bars(what, interval)), COUNTED)

    async def stand_of_bars(self, start: datetime, end: datetime) -> object:
        return conform(await self._found(stand.bars(start, end)), STAND).rows() or None

    async def _found(self, query: Query) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return await fetch_async(self._clickhouse, query)


async def _ahead(read: _Read, parts: Iterator[Window]) -> AsyncGenerator[tuple[Window, WholePrices]]:
    """Each part with what was read of it; the next one is read meanwhile."""
    window = next(parts)
    coming = asyncio.ensure_future(read(window))
    try:
        for following in (*parts, None):
            found, now = await coming, window
            if following is not None:
                window, coming = following, asyncio.ensure_future(read(following))
            yield now, found
    finally:
        await stopped(coming)
