"""The reads of what was known at an instant, and of ticks, over the real stores."""

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import polars as pl
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from api.latest import chosen as latest
from api.problems import Problem
from api.reads import positions
from api.reads.away import Watch
from api.reads.curves import CurveReads
from api.reads.landed import Landed
from api.reads.ports import Mode, Names, Page, Window
from api.reads.register import TICK
from api.shapes import BAR
from db.clickhouse import known_bars, known_blocks, known_latest, reads, spreads
from db.clickhouse.frames import fetch_async
from db.clickhouse.query import Query
from db.postgres.landed import reaches
from db.redis import idle
from db.redis.landed import Bounds
from pipeline.blocks import Block
from pipeline.schema import EARLIEST, LATEST, conform, empty
from service.apikey import Peppers
from service.settings import Kafka

BARS_TOGETHER: Final = 2  # pages of bars that are computed at the same time
COMPUTING_S: Final = 30.0  # for one of them, its turn included


@dataclass(frozen=True, slots=True)
class Connections:
    """The real stores. `blocking` computes bars, in threads; `topics`: where publications come from; `audit_secret`:
    what the audit record is chained with; `peppers`: what keys are HMACed with; `landed`: how much is kept of the log;
    `kafka`: where dead letters are; `broker`: where tasks wait.
    """

    clickhouse: AsyncClient
    blocking: Client
    postgres: AsyncEngine
    redis: Redis
    watch: Watch
    topics: Collection[str]
    audit_secret: str
    peppers: Peppers
    landed: Bounds
    kafka: Kafka
    broker: Redis | None = None


class KnownReads(CurveReads):
    """That part of `api.reads.ports.Reads`."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections.clickhouse, connections.watch)
        self._blocking = connections.blocking
        self._postgres = connections.postgres
        self._redis = connections.redis
        self._landed = Landed(partial(reaches, connections.postgres), connections.topics)
        # Threads of their own: those that wait for a silent ClickHouse keep nobody else from working.
        self._computing = ThreadPoolExecutor(BARS_TOGETHER, "bars")
        self._sure = EARLIEST  # all that was known before has landed

    async def known_until(self) -> datetime:
        async with self._watch.reading("postgres"):
            return positions.instant(await self._landed.until_us(await self._idle()))

    async def has_landed(self, at: datetime) -> bool:
        if at >= self._sure:
            self._sure = max(self._sure, await self.known_until())
        return at < self._sure

    async def ticks(self, tenants: Names, names: Names, window: Window, known: datetime | None) -> Page:
        position = positions.read_position(reads.TickPosition, window.after)
        query = reads.read_ticks(reads.Scope(tenants, names), one_more(window), position, known)
        return positions.page(await self._fetched(query), window.limit, reads.TickPosition._fields)

    async def revisions(self, tenants: Names, names: Names, window: Window, known: datetime | None) -> Page:
        position = positions.read_position(reads.HistoryPosition, window.after)
        query = reads.read_history(reads.Scope(tenants, names), one_more(window), position, known)
        return positions.page(await self._fetched(query), window.limit, reads.HistoryPosition._fields)

    async def known_bars(
        self, reference: pl.DataFrame, interval: str, window: Window, known: datetime, block: Block | None = None
    ) -> Page:
        position = positions.read_position(reads.BarPosition, window.after)
        start = window.start if position is None else max(window.start, position.start)
        span = reads.Range(start, window.end, window.limit)
        scope = reads.Scope(reference["tenant"].unique().to_list(), reference["instrument"].unique().to_list())
        async with self._watch.reading("clickhouse", COMPUTING_S):
            there = await fetch_async(self._clickhouse, known_bars.candidates(scope, interval, span, known))
            if block is not None:
                there, reference = known_blocks.narrowed(there, reference, block)
            bars, following = known_bars.wanted(there, interval, reference, span, position)
            made = empty(BAR) if bars.is_empty() else await self._computed(bars, known, block)
        return Page(made, None if following is None else positions.plain(following._asdict()))

    async def known_latest(self, tenants: Names, names: Names, mode: Mode | None, known: datetime) -> pl.DataFrame:
        newest = await self._newest_known(tenants, names, known, LATEST)
        found = latest.may_be_in_force(newest, mode, known)
        held = await self._held_known(tenants, found.ending, known)
        begun = await self._newest_known(tenants, found.ahead["instrument"].unique().to_list(), known, known)
        begun = latest.of_same(begun, found.ahead)
        return latest.chosen(newest, pl.concat([held, found.endless, begun]), mode)

    async def leg_publications(self, tenants: Names, legs: pl.DataFrame, known: datetime | None) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return await fetch_async(self._clickhouse, spreads.legs_at(tenants, legs, known))

    async def _idle(self) -> dict[tuple[str, str, int], int]:
        """Nothing where Redis is away: then the ledger alone tells."""
        try:
            async with self._watch.reading("redis", 2.0):
                return await idle.read_async(self._redis)
        except Problem:
            return {}

    async def _computed(self, bars: pl.DataFrame, known: datetime, block: Block | None) -> pl.DataFrame:
        compute = partial(known_blocks.known_block_bars, self._blocking, bars, known, block)
        made = await asyncio.get_running_loop().run_in_executor(self._computing, compute)
        return conform(made.select(list(BAR)), BAR)

    async def _held_known(self, tenants: Names, newest: pl.DataFrame, known: datetime) -> pl.DataFrame:
        if newest.is_empty():
            return newest
        scope = reads.Scope(tenants, newest["instrument"].unique().to_list())
        return latest.of_same(await self._fetched(reads.in_force(scope, known, known)), newest)

    async def _newest_known(self, tenants: Names, names: Names, known: datetime, until: datetime) -> pl.DataFrame:
        if not names:
            return empty(TICK)
        query = known_latest.newest_known(reads.Scope(tenants, names), known, until)
        async with self._watch.reading("clickhouse"):
            found = await fetch_async(self._clickhouse, query)
        sure = conform(found.filter("sure").drop("sure"), TICK)
        doubtful = found.filter(~pl.col("sure"))
        if doubtful.is_empty():
            return sure
        scope = reads.Scope(tenants, doubtful["instrument"].unique().to_list())
        replayed = await self._fetched(known_latest.newest_replayed(scope, known, until))
        return pl.concat([sure, latest.of_same(replayed, doubtful)])

    async def _fetched(self, query: Query) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return conform(await fetch_async(self._clickhouse, query), TICK)


def one_more(window: Window) -> reads.Range:
    """What tells whether there is a next page."""
    return reads.Range(window.start, window.end, window.limit + 1)
