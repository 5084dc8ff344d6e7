"""The reads of the API over the real stores."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final, cast

import polars as pl

from api.latest import chosen as latest
from api.problems import Problem
from api.reads import positions, register
from api.reads.access import AccessReads
from api.reads.known import Connections, one_more
from api.reads.letters import LetterReads
from api.reads.many import ManyReads
from api.reads.ports import Extent, Mode, Named, Names, Page, Store, Window
from api.reads.register import TICK
from api.reads.replay import ReplayReads
from api.reads.status import StatusReads
from api.shapes import BAR
from db.clickhouse import coverage, reads
from db.clickhouse.frames import fetch_async
from db.clickhouse.query import Query
from db.postgres import ledger, reference, stops
from db.postgres.engine import ping
from db.postgres.reference import Filters
from db.reference import keeper
from db.reference.keeper import Keeper
from db.reference.snapshot import Snapshot
from db.visible import Visible
from pipeline.expected import HELD
from pipeline.schema import conform, empty

log = logging.getLogger(__name__)

_READY_SECONDS: Final = 2.0
_REGISTER_SECONDS: Final = 2.0
_ReadAt = Callable[[reads.Scope, datetime], Query]


class Stores(AccessReads, LetterReads, ManyReads, ReplayReads, StatusReads):
    """`api.reads.ports.Reads` over ClickHouse, PostgreSQL, Redis and Kafka."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        self._keeper = Keeper(connections.postgres, connections.redis, time.monotonic)

    async def instruments_named(self, tenants: Names, names: Names) -> pl.DataFrame:
        async with self._watch.reading("postgres"):
            return await reference.instruments_named(self._postgres, tenants, names)

    async def find_instruments(
        self, visible: Visible, filters: Filters, after: tuple[str, str] | None, limit: int
    ) -> pl.DataFrame:
        async with self._watch.reading("postgres"):
            return await reference.find_instruments(self._postgres, visible, filters, after, limit)

    async def reference_version(self) -> int:
        async with self._watch.reading("postgres"):
            return await reference.reference_version(self._postgres)

    async def snapshot(self, *, fresh: bool = False) -> Snapshot:
        async with self._watch.reading("postgres"):
            return await self._keeper.current(fresh=fresh)

    async def reference_state(self) -> keeper.State:
        with suppress(Problem, *keeper.POSTGRES_AWAY):
            async with self._watch.reading("postgres", _READY_SECONDS):
                await self._keeper.current()
        return self._keeper.state()

    async def bars(self, tenants: Names, names: Names, interval: str, window: Window) -> Page:
        position = positions.read_position(reads.BarPosition, window.after)
        query = reads.read_bars(reads.Scope(tenants, names), interval, one_more(window), position)
        async with self._watch.reading("clickhouse"):
            found = await fetch_async(self._clickhouse, query)
        return positions.page(conform(found.select(list(BAR)), BAR), window.limit, reads.BarPosition._fields)

    async def held(self, tenant: str, name: str, start: datetime, end: datetime) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return conform(await fetch_async(self._clickhouse, coverage.held(tenant, name, start, end)), HELD)

    async def extent(self, tenant: str, name: str) -> Extent | None:
        async with self._watch.reading("clickhouse"):
            (found,) = (await fetch_async(self._clickhouse, coverage.extent(tenant, name))).to_dicts()
        return None if found["first"] is None else Extent(**found)

    async def names_of(self, tenant: str, name: str) -> Named:
        async with self._watch.reading("postgres"):
            return await reference.names_of(self._postgres, tenant, name)

    async def latest(self, tenants: Names, names: Names, mode: Mode | None, now: datetime) -> pl.DataFrame:
        newest = await self._newest(tenants, names) if names else empty(TICK)
        found = latest.may_be_in_force(newest, mode, now)
        held = await self._looked_up(reads.in_force, tenants, found.ending, now)
        begun = await self._looked_up(reads.newest_until, tenants, found.ahead, now)
        return latest.chosen(newest, pl.concat([held, found.endless, begun]), mode)

    async def watermark(self) -> datetime:
        async with self._watch.reading("postgres"):
            return positions.instant(await ledger.watermark(self._postgres))

    async def away(self) -> dict[Store, str]:
        checks: dict[Store, Callable[[], Awaitable[object]]] = {
            "clickhouse": partial(self._clickhouse.query, "SELECT 1"),
            "postgres": partial(ping, self._postgres),
            "redis": lambda: cast("Awaitable[object]", self._redis.ping()),
        }
        answers = await asyncio.gather(*(self._answer(store, check) for store, check in checks.items()))
        return {store: why for store, why in zip(checks, answers, strict=True) if why is not None}

    async def stopped(self) -> list[str]:
        try:
            async with self._watch.reading("postgres", _READY_SECONDS):
                return [each.reason for each in await stops.stopped(self._postgres)]
        except Problem:
            return []  # `away` says so

    async def _looked_up(self, read: _ReadAt, tenants: Names, newest: pl.DataFrame, now: datetime) -> pl.DataFrame:
        if newest.is_empty():
            return newest
        query = read(reads.Scope(tenants, newest["instrument"].unique().to_list()), now)
        async with self._watch.reading("clickhouse"):
            found = await fetch_async(self._clickhouse, query)
        return latest.of_same(conform(found, TICK), newest)

    async def _newest(self, tenants: Names, names: Names) -> pl.DataFrame:
        """From the register in Redis; from ClickHouse while the register is away or being built."""
        try:
            async with self._watch.reading("redis", _REGISTER_SECONDS):
                registered = await register.read(self._redis, tenants, names)
            if registered is not None:
                return registered
        except Problem:
            log.info("latest prices come from ClickHouse")
        async with self._watch.reading("clickhouse"):
            rows = await fetch_async(self._clickhouse, reads.newest(reads.Scope(tenants, names)))
        return conform(rows, TICK)

    async def _answer(self, store: Store, check: Callable[[], Awaitable[object]]) -> str | None:
        """What a store that does not answer says."""
        try:
            async with self._watch.reading(store, _READY_SECONDS):
                await check()
        except Problem as problem:
            return type(problem.__cause__).__name__
        return None
