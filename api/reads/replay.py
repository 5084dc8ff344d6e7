"""The reads of a replay, over the real stores."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

import polars as pl

from api.reads.known import COMPUTING_S, Connections
from api.reads.live import SHOWN_BAR, LiveReads
from api.reads.register import TICK
from api.shapes import BAR
from db.clickhouse import replay
from db.clickhouse.frames import fetch_async
from db.clickhouse.known_bars import known_or_emptied
from db.clickhouse.query import Query
from db.clickhouse.replay import BECAME, KEYS_AT_ONCE, Known, Whose
from pipeline.schema import Schema, conform, empty


class ReplayReads(LiveReads):
    """`api.reads.live_port.Replays`."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        # A thread of its own: bars of replays wait for each other, and answers do not wait for them.
        self._replaying = ThreadPoolExecutor(1, "replay")

    async def became_known(self, whose: Whose, span: Known, limit: int) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return conform(await fetch_async(self._clickhouse, replay.became_known(whose, span, limit)), BECAME)

    async def ticks_known(self, prices: pl.DataFrame, span: Known) -> pl.DataFrame:
        return await self._by_keys(prices, lambda some: replay.ticks_known(some, span), TICK)

    async def bars_at(self, bars: pl.DataFrame) -> pl.DataFrame:
        return await self._by_keys(bars, replay.bars_at, SHOWN_BAR)

    async def bars_known(self, bars: pl.DataFrame, known: datetime) -> pl.DataFrame:
        if bars.is_empty():
            return empty(BAR)
        compute = partial(known_or_emptied, self._blocking, bars, known)
        async with self._watch.reading("clickhouse", COMPUTING_S):
            made = await asyncio.get_running_loop().run_in_executor(self._replaying, compute)
        return conform(made.select(list(BAR)), BAR)

    async def _by_keys(self, keys: pl.DataFrame, query: Callable[[pl.DataFrame], Query], of: Schema) -> pl.DataFrame:
        """As many keys at a time as fit a statement."""
        found = [pl.DataFrame(schema=dict(of))]
        for some in keys.iter_slices(KEYS_AT_ONCE):
            async with self._watch.reading("clickhouse"):
                rows = await fetch_async(self._clickhouse, query(some))
            found.append(conform(rows.select(list(of)), of))
        return pl.concat(found)
