"""The reads of the live stream, over the real stores."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl

from api.reads import positions
from api.reads.known import Connections, KnownReads
from api.reads.live_port import Names, Page
from api.reads.register import TICK
from api.shapes import BAR
from db.clickhouse import known_changes
from db.clickhouse import live as bars
from db.clickhouse.bounds import Scope
from db.clickhouse.frames import fetch_async
from db.clickhouse.known_changes import BarChange, Known, TickChange, Whose
from db.postgres import access
from db.postgres.access import StoredKey
from db.redis import generation, live, tickets
from db.redis.landed import Entry, Kind
from db.redis.live import Head, Look, Prices
from pipeline.schema import Schema, conform

SHOWN_BAR: Final[Schema] = {**BAR, "ver": pl.UInt64()}
_ANSWER_S: Final = 2.0  # of Redis, beyond what it is asked to wait


class LiveReads(KnownReads):
    """`api.reads.live_port.Lives`."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        self._live_redis = connections.redis

    async def log_head(self) -> Head:
        async with self._watch.reading("redis", _ANSWER_S):
            return await live.head(self._live_redis)

    async def log_look(self, after: str, wait_s: float) -> Look:
        async with self._watch.reading("redis", _ANSWER_S + wait_s):
            return await live.look(self._live_redis, after, wait_s)

    async def log_since(self, kind: Kind, after: str, until: str) -> tuple[list[Entry], str | None]:
        async with self._watch.reading("redis"):
            return await live.since(self._live_redis, kind, after, until)

    async def log_prices(self, names: Mapping[str, Names]) -> Prices | None:
        async with self._watch.reading("redis"):
            found = await live.prices(self._live_redis, names)
            # Asked once they were read: what was emptied before that is seen.
            return found if (await generation.read_async(self._live_redis)).state == "ready" else None

    async def newest_bars(self, tenants: Names, names: Names, intervals: Names) -> pl.DataFrame:
        query = bars.newest_bars(Scope(tenants, names), intervals)
        async with self._watch.reading("clickhouse"):
            found = await fetch_async(self._clickhouse, query)
        return conform(found.select(list(SHOWN_BAR)), SHOWN_BAR)

    async def landed_ticks(self, tenants: Names, names: Names | None, span: bars.Span) -> pl.DataFrame:
        async with self._watch.reading("clickhouse"):
            return conform(await fetch_async(self._clickhouse, bars.ticks_at(tenants, names, span)), TICK)

    async def unfinished(
        self, tenants: Names, names: Names | None, interval: str, start: datetime, expected: int
    ) -> Names:
        query = bars.unfinished(tenants, names, interval, start, expected)
        async with self._watch.reading("clickhouse"):
            return (await fetch_async(self._clickhouse, query))["instrument"].to_list()

    async def changed_ticks(self, whose: Whose, span: Known, after: Sequence[Any] | None) -> Page:
        position = positions.read_position(TickChange, after)
        query = known_changes.changed_ticks(whose, span._replace(limit=span.limit + 1), position)
        async with self._watch.reading("clickhouse"):
            found = conform(await fetch_async(self._clickhouse, query), TICK)
        return positions.page(found, span.limit, TickChange._fields)

    async def changed_bars(self, whose: Whose, intervals: Names, span: Known, after: Sequence[Any] | None) -> Page:
        position = positions.read_position(BarChange, after)
        query = known_changes.changed_bars(whose, intervals, span._replace(limit=span.limit + 1), position)
        async with self._watch.reading("clickhouse"):
            found = await fetch_async(self._clickhouse, query)
        return positions.page(conform(found.select(list(BAR)), BAR), span.limit, BarChange._fields)

    async def find_keys(self, key_ids: Names) -> Mapping[str, StoredKey]:
        async with self._watch.reading("postgres"):
            return await access.find_keys(self._postgres, key_ids)

    async def keep_ticket(self, ticket: str, key_id: str, seconds: int) -> None:
        async with self._watch.reading("redis", _ANSWER_S):
            await tickets.keep(self._live_redis, ticket, key_id, seconds)

    async def take_ticket(self, ticket: str) -> str | None:
        async with self._watch.reading("redis", _ANSWER_S):
            return await tickets.take(self._live_redis, ticket)
