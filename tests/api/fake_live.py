"""The landed log and what goes with it, in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from api.problems import Problem
from api.reads.live import SHOWN_BAR
from api.reads.live_port import Page
from api.reads.ports import Names
from api.reads.register import TICK
from db.clickhouse.known_changes import Known, Whose
from db.clickhouse.live import Span
from db.postgres.access import StoredKey
from db.redis.landed import A_READ, BEGINNING, Counters, Entry, Kind
from db.redis.live import Head, Look, Prices
from tests.api.fake_past import FakePast


class FakeLog:
    """`tell` adds an entry; `empty` loses all; `away` answers nobody."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.epoch = ""
        self.last: dict[str, int] = {}
        self.away = False
        self.epochs = 0
        self._told = 0
        self._news = asyncio.Event()

    def tell(
        self, kind: Kind, tenant: str, changes: Sequence[Any] = (), values: bytes = b"", offsets: Any = None
    ) -> Entry:
        self.name_epoch()
        self._told += 1
        self.last[kind] = self.last.get(kind, 0) + 1
        entry = Entry(f"{self._told}-0", self.last[kind], tenant, kind, list(changes), offsets, values)
        self.entries.append(entry)
        self._news.set()
        return entry

    def empty(self) -> None:
        """As Redis is emptied; ids go on growing, for they are made of time."""
        self.entries, self.epoch, self.last = [], "", {}
        self._news.set()

    def name_epoch(self) -> None:
        if not self.epoch:
            self.epochs += 1
            self.epoch = f"{self.epochs:032x}"

    def trim(self, count: int) -> None:
        """Drops the oldest."""
        del self.entries[:count]

    @property
    def counters(self) -> Counters:
        return Counters(self.epoch, dict(self.last))

    @property
    def head(self) -> Head:
        return Head(self.entries[-1].id if self.entries else BEGINNING, self.counters)

    def after(self, position: str) -> list[Entry]:
        return [entry for entry in self.entries if number(entry.id) > number(position)]

    async def wait(self, position: str, seconds: float) -> None:
        self._news.clear()
        if not self.after(position):
            try:
                await asyncio.wait_for(self._news.wait(), seconds)
            except TimeoutError:
                return

    def require(self) -> None:
        if self.away:
            raise Problem(503, "store-away", "redis does not answer.")


def number(position: str) -> int:
    return int(position.partition("-")[0])


class FakeLive(FakePast):
    """`api.reads.live_port.Lives`."""

    keys: dict[str, StoredKey]

    def __init__(self) -> None:
        super().__init__()
        self.log = FakeLog()
        self.priced: dict[tuple[str, str], dict[str, Any]] | None = {}
        self.shown_bars = pl.DataFrame(schema=dict(SHOWN_BAR))
        self.ticks_landed = pl.DataFrame(schema=dict(TICK))
        self.lacking: list[str] = []
        self.tickets: dict[str, str] = {}
        self.keys_away = False
        self.looked = 0  # times that keys were looked up
        self.asked_changes: list[tuple[Whose, Known]] = []

    async def log_head(self) -> Head:
        self.log.require()
        self.log.name_epoch()
        return self.log.head

    async def log_look(self, after: str, wait_s: float) -> Look:
        self.log.require()
        await self.log.wait(after, wait_s)
        self.log.require()
        return Look(self.log.after(after)[:A_READ], self.log.counters)

    async def log_since(self, kind: Kind, after: str, until: str) -> tuple[list[Entry], str | None]:
        self.log.require()
        within = [entry for entry in self.log.after(after) if number(entry.id) <= number(until)]
        some = within[:3]
        going_on = some[-1].id if len(within) > 3 else None
        return [entry for entry in some if entry.kind == kind], going_on

    async def log_prices(self, names: Mapping[str, Names]) -> Prices | None:
        self.log.require()
        if self.priced is None:
            return None
        wanted = {(tenant, name) for tenant, some in names.items() for name in some}
        return Prices(self.log.head, {pair: price for pair, price in self.priced.items() if pair in wanted})

    async def newest_bars(self, tenants: Names, names: Names, intervals: Names) -> pl.DataFrame:
        of = pl.col("tenant").is_in(tenants) & pl.col("instrument").is_in(names) & pl.col("interval").is_in(intervals)
        return self.shown_bars.filter(of)

    async def landed_ticks(self, tenants: Names, names: Names | None, span: Span) -> pl.DataFrame:
        named = pl.lit(value=True) if names is None else pl.col("instrument").is_in(names)
        ranges = [
            (pl.col("topic_id") == each.topic_id)
            & (pl.col("partition") == each.partition)
            & (pl.col("offset") >= each.first)
            & (pl.col("offset") < each.next)
            for each in span.ranges
        ]
        return self.ticks_landed.filter(named & pl.col("tenant").is_in(tenants) & pl.any_horizontal(ranges))

    async def unfinished(
        self, tenants: Names, names: Names | None, interval: str, start: datetime, expected: int
    ) -> Names:
        return [each for each in self.lacking if names is None or each in names]

    async def changed_ticks(self, whose: Whose, span: Known, after: Sequence[Any] | None) -> Page:
        self.asked_changes.append((whose, span))
        begin = 0 if after is None else int(after[0])
        rows = self.ticks_landed.sort("known_at")
        end = begin + span.limit
        return Page(rows[begin:end], [end] if rows.height > end else None)

    async def changed_bars(self, whose: Whose, intervals: Names, span: Known, after: Sequence[Any] | None) -> Page:
        self.asked_changes.append((whose, span))
        rows = self.shown_bars.filter(pl.col("interval").is_in(intervals)).drop("ver")
        return Page(rows.sort("updated_at").head(span.limit), None)

    async def find_keys(self, key_ids: Names) -> Mapping[str, StoredKey]:
        self.looked += 1
        if self.keys_away:
            raise Problem(503, "store-away", "postgres does not answer.")
        return {each: self.keys[each] for each in key_ids if each in self.keys}

    async def keep_ticket(self, ticket: str, key_id: str, seconds: int) -> None:
        self.tickets[ticket] = key_id

    async def take_ticket(self, ticket: str) -> str | None:
        return self.tickets.pop(ticket, None)
