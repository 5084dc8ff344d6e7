"""The reads of many rows over the real stores, and of how many there are."""

from dataclasses import replace
from datetime import datetime

import polars as pl

from api.reads import positions
from api.reads.blocks import BlockReads
from api.reads.ports import Names, Page, Window
from api.reads.register import TICK
from db.clickhouse import counts, plain, reads, stand
from db.clickhouse.counts import COUNTED, Counting
from db.clickhouse.frames import fetch_async
from db.clickhouse.query import Query
from db.clickhouse.stand import STAND
from pipeline import publications
from pipeline.schema import SEEN, conform

_ORDER = reads.TickPosition._fields


class ManyReads(BlockReads):
    """That part of `api.reads.ports.Reads`."""

    async def many_ticks(self, tenants: Names, names: Names, window: Window, known: datetime | None) -> Page:
        position = positions.read_position(reads.TickPosition, window.after)
        span = reads.Range(window.start, window.end, window.limit + 1)
        found = conform(
            await self._found(plain.read_publications(reads.Scope(tenants, names), span, position, known)), SEEN
        )
        whole = plain.whole_prices(found, span.limit)
        if whole.is_empty() and not found.is_empty():  # a price of more publications than that
            return await self.many_ticks(tenants, names, replace(window, limit=2 * window.limit), known)
        rows = conform(publications.current(whole), TICK)
        following = whole.row(-1, named=True) if found.height == span.limit else None
        return Page(rows, following and positions.plain({name: following[name] for name in _ORDER}))

    async def count_publications(self, what: Counting, known: datetime | None) -> pl.DataFrame:
        return conform(await self._found(counts.publications(what, known)), COUNTED)

    async def count_prices(self, what: Counting, known: datetime | None) -> int:
        return (await self._found(counts.prices(what, known)))["n"][0]

    async def count_bars(self, what: Counting, interval: str) -> pl.DataFrame:
        return conform(await self._found(counts.bars(what, interval)), COUNTED)

    async def stand_of_bars(self, start: datetime, end: datetime) -> object:
        return conform(await self._found(stand.bars(start, end)), STAND).rows()

    async def _found(self, query: Query) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return await fetch_async(self._clickhouse, query)
