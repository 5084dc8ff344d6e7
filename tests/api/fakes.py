"""Stores in memory, and an application over them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from copy import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import polars as pl

from api.app import create_app
from api.cursor import Cursors
from api.latest.kept import Kept
from api.limits.accounts import Quotas
from api.problems import Problem
from api.reads.ports import Extent, Mode, Named, Names, Page, Store, Window
from api.reads.stores import BAR
from api.security.principal import Principals
from api.state import State, make_state
from db.postgres.access import StoredKey
from db.postgres.reference import Filters
from db.visible import Visible
from pipeline.blocks import Block
from pipeline.expected import HELD
from pipeline.flags import Flag
from pipeline.schema import REFERENCE, SEEN, TICKS, conform, empty
from service import apikey
from service.metrics import Metrics
from tests.api.fake_access import PEPPER, FakeAccess
from tests.api.fake_curves import FakeCurves
from tests.api.fake_explain import FakeExplain
from tests.api.fake_letters import FakeLetters
from tests.api.fake_live import FakeLive
from tests.api.fake_many import FakeMany
from tests.api.fake_reference import FakeReference
from tests.api.fake_usage import FakeUsage

START = datetime(2026, 7, 1, tzinfo=UTC)
GAS = "NG_HH_BALMO"
NODE = "caiso.rt_5min.TH_NP15_GEN-APND"
SECRET_NODE = "caiso.rt_5min.SECRET"
QUOTAS = Quotas(60_000, 120_000, 10_000_000)


def instrument(name: str, tenant: str = "public", **more: object) -> dict[str, object]:
    market, product, location = name.split(".", 2) if name.startswith("caiso.") else ("henry_hub", "tick", None)
    row: dict[str, object] = {}
    row |= dict.fromkeys(REFERENCE)
    row |= {
        "tenant": tenant, "instrument": name, "market": market, "product": product, "location": location,
        "unit": "USD/MWh", "currency": "USD", "zone": "UTC", "complete": True, "first_seen": START,
    }  # fmt: skip
    return row | more


def tick(name: str, at: datetime, price: str, tenant: str = "public", **more: object) -> dict[str, object]:
    kept = instrument(name, tenant)
    row: dict[str, object] = {
        "tenant": tenant, "instrument": name, "market": kept["market"], "product": kept["product"],
        "location": kept["location"], "ts": at, "start": at, "end": at + timedelta(minutes=5),
        "price": Decimal(price),
        "flags": int(Flag.VALID), "version": 0, "known_at": at, "revision": 0,
    }  # fmt: skip
    return row | more


class FakeLegs:
    """No publication of a spread's legs."""

    async def leg_publications(self, tenants: Names, legs: pl.DataFrame, known: datetime | None) -> pl.DataFrame:
        return empty(SEEN)


class FakeReads(
    FakeMany, FakeLegs, FakeUsage, FakeReference, FakeExplain, FakeCurves, FakeLetters, FakeLive, FakeAccess
):
    """What the routes read, from lists. `gone` holds stores that do not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.rehashed: list[str] = []
        self.reference = [
            instrument(GAS, unit=None, complete=False),
            instrument(NODE),
            instrument(SECRET_NODE, "other"),
        ]
        self.stored = [tick(GAS, START + timedelta(minutes=n), f"{100 + n}.5") for n in range(5)]
        self.stored.append(tick(NODE, START, "-31.123456789"))
        self.stored.append(tick(SECRET_NODE, START, "1", "other"))
        self.bar_rows: list[dict[str, object]] = []
        self.stops: list[str] = []
        self.lookups = 0
        self.latest_asked: list[tuple[Names, Names, Mode | None]] = []
        self.used: list[str] = []
        self.blocks: list[Block | None] = []
        self.past = START + timedelta(days=30)
        self.landed = self.past

    def add_key(self, tenant: str = "public", role: str = "viewer", **more: Any) -> str:
        key = apikey.make()
        given: dict[str, Any] = {"scopes": None, "expires_at": None, "revoked_at": None} | more
        self.keys[key.id] = StoredKey(key.id, tenant, "test", role, digest=key.digest(PEPPER), **given)
        return key.text()

    def rehash(self, key_id: str, old: bytes, new: bytes, pepper: str) -> None:
        self.rehashed.append(key_id)

    async def find_key(self, key_id: str) -> StoredKey | None:
        self._require("postgres")
        self.lookups += 1
        return self.keys.get(key_id)

    async def instruments_named(self, tenants: Names, names: Names) -> pl.DataFrame:
        self._require("postgres")
        rows = [each for each in self.reference if each["tenant"] in tenants and each["instrument"] in names]
        return pl.DataFrame(rows, schema=dict(REFERENCE))

    async def reference_version(self) -> int:
        self._require("postgres")
        return self.version

    async def find_instruments(
        self, visible: Visible, filters: Filters, after: tuple[str, str] | None, limit: int
    ) -> pl.DataFrame:
        rows = visible.of(pl.DataFrame(self.reference, schema=dict(REFERENCE))).to_dicts()
        for name in ("market", "product"):
            rows = [each for each in rows if getattr(filters, name) in (None, each[name])]
        rows = [each for each in rows if (filters.search or "") in str(each["instrument"])]
        rows = [each for each in rows if after is None or (each["instrument"], each["tenant"]) > after]
        return pl.DataFrame(rows, schema=dict(REFERENCE)).sort("instrument", "tenant").head(limit)

    async def ticks(self, tenants: Names, names: Names, window: Window, known: datetime | None) -> Page:
        self._require("clickhouse")
        there = (self if known is None else self._past(known))._of(tenants, names)
        rows = self._frame([each for each in there if window.start <= _start(each) < window.end])
        return _page(rows.sort("instrument", "start"), window)

    async def bars(self, tenants: Names, names: Names, interval: str, window: Window) -> Page:
        self._require("clickhouse")
        rows = [each for each in self.bar_rows if each["tenant"] in tenants and each["instrument"] in names]
        rows = [each for each in rows if each["interval"] == interval and window.start <= _start(each) < window.end]
        return _page(pl.DataFrame(rows, schema=dict(BAR)), window)

    async def latest(self, tenants: Names, names: Names, mode: Mode | None, now: datetime) -> pl.DataFrame:
        self._require("clickhouse")
        self.latest_asked.append((tenants, names, mode))
        rows = self._frame(self._of(tenants, names)).sort("start")
        newest = rows.unique(["tenant", "instrument"], keep="last")
        return newest.with_columns(mode=pl.lit(mode or "newest"), newest_start="start")

    async def held(self, tenant: str, name: str, start: datetime, end: datetime) -> pl.DataFrame:
        self._require("clickhouse")
        rows = [each for each in self._of([tenant], [name]) if start <= _instant(each, "ts") < end]
        return self._frame(rows).select(*HELD).sort("start")

    async def names_of(self, tenant: str, name: str) -> Named:
        return self.names.get((tenant, name), [])

    async def extent(self, tenant: str, name: str) -> Extent | None:
        self._require("clickhouse")
        rows = self._frame(self._of([tenant], [name]))
        if rows.is_empty():
            return None
        first, last, changed = rows.select(pl.min("start"), last=pl.max("start"), known=pl.max("known_at")).row(0)
        return Extent(first, last, changed)

    async def watermark(self) -> datetime:
        return self.past

    async def has_landed(self, at: datetime) -> bool:
        return at < await self.known_until()

    async def known_until(self) -> datetime:
        self._require("postgres")
        return self.landed

    async def revisions(self, tenants: Names, names: Names, window: Window, known: datetime | None) -> Page:
        return await self.ticks(tenants, names, window, known)

    async def block_bars(self, reference: pl.DataFrame, interval: str, block: Block, window: Window) -> Page:
        self.blocks.append(block)
        return await self.bars(reference["tenant"].to_list(), reference["instrument"].to_list(), interval, window)

    async def known_bars(
        self, reference: pl.DataFrame, interval: str, window: Window, known: datetime, block: Block | None = None
    ) -> Page:
        self.blocks.append(block)
        who = reference["tenant"].to_list(), reference["instrument"].to_list()
        return await self._past(known).bars(*who, interval, window)

    async def known_latest(self, tenants: Names, names: Names, mode: Mode | None, known: datetime) -> pl.DataFrame:
        return await self._past(known).latest(tenants, names, mode, known)

    def _past(self, known: datetime) -> "FakeReads":
        """The same, of what was known."""
        past = copy(self)
        past.stored = [each for each in self.stored if _instant(each, "known_at") <= known]
        past.bar_rows = [each for each in self.bar_rows if _instant(each, "updated_at") <= known]
        return past

    async def away(self) -> dict[Store, str]:
        return self.gone

    async def stopped(self) -> list[str]:
        return self.stops

    def _of(self, tenants: Names, names: Names) -> list[dict[str, object]]:
        return [each for each in self.stored if each["tenant"] in tenants and each["instrument"] in names]

    def _frame(self, rows: list[dict[str, object]]) -> pl.DataFrame:
        schema = {**TICKS, "revision": pl.Int64()}
        given = pl.DataFrame(rows, schema={name: dtype for name, dtype in schema.items() if name in _COLUMNS})
        return conform(given, schema)

    def _require(self, store: Store) -> None:
        if store in self.gone:
            raise Problem(503, "store-away", f"{store} does not answer.", headers={"Retry-After": "5"})


_COLUMNS = {
    *tick(GAS, START, "1"), "hold_end", "volume", "energy", "congestion", "loss", "topic_id", "partition", "offset",
}  # fmt: skip


def _start(row: dict[str, object]) -> datetime:
    return _instant(row, "start")


def _instant(row: dict[str, object], name: str) -> datetime:
    instant = row[name]
    assert isinstance(instant, datetime)
    return instant


def _page(rows: pl.DataFrame, window: Window) -> Page:
    first = window.after if isinstance(window.after, int) else 0
    following = first + window.limit
    return Page(rows.slice(first, window.limit), following if rows.height > following else None)


class Ticking:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def state(
    reads: FakeReads, monotonic: Callable[[], float] | None = None, kept: Kept | None = None, quotas: Quotas = QUOTAS
) -> State:
    """Without `kept` nothing is kept."""
    ticking = monotonic or Ticking()
    principals = Principals(reads.find_key, reads.used.append, reads.peppers, ticking, reads.rehash)
    cursors, kept = Cursors("a secret for tests"), kept or Kept(ticking)
    return make_state(reads, principals, cursors, Metrics("api"), kept, ticking, quotas)


@asynccontextmanager
async def client(
    reads: FakeReads, key: str | None = None, made: State | None = None
) -> AsyncGenerator[httpx.AsyncClient]:
    app = create_app(made or state(reads))
    headers = {"X-API-Key": key} if key else {}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as made_client:
        yield made_client
