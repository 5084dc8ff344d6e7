"""What the routes need from the stores, as one small interface; `api.reads.stores` fills it with the real ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

import polars as pl

from api.reads.access_port import Access
from api.reads.explain_port import Explains
from api.reads.letter_port import Letters
from api.reads.live_port import Lives, Page
from api.reads.many_port import Many
from api.reads.status_port import Tells
from db.clickhouse.curves import Inputs, Stored
from db.postgres.audit import Entry
from db.postgres.audit_chain import Record
from db.postgres.audit_reads import Filters as AuditFilters
from db.postgres.changes import By
from db.postgres.reference import Filters
from db.postgres.usage import Used, Whose
from db.reference.keeper import State as ReferenceState
from db.reference.loading import Loaded
from db.reference.loading import Mode as LoadMode
from db.reference.snapshot import Snapshot
from db.visible import Visible
from pipeline.blocks import Block
from pipeline.reference.reading import Given

Names = Sequence[str]
Named = Sequence[tuple[str, datetime]]
Mode = Literal["newest", "in_force"]
Store = Literal["clickhouse", "postgres", "redis", "kafka"]


@dataclass(frozen=True, slots=True)
class Window:
    """Starts in [start, end), after the position of the page before, at most so many rows."""

    start: datetime
    end: datetime
    after: object | None
    limit: int


@dataclass(frozen=True, slots=True)
class Extent:
    """The starts of the first and the last price, and since when what is stored is as it is."""

    first: datetime
    last: datetime
    changed: datetime


class Reads(Access, Explains, Letters, Lives, Many, Tells, Protocol):
    """All reads of the API. Every one takes the tenants; each raises a 503 problem when its store is away."""

    async def instruments_named(self, tenants: Names, names: Names) -> pl.DataFrame:
        """Their rows of the reference (`pipeline.schema.REFERENCE`)."""
        ...

    async def find_instruments(
        self, visible: Visible, filters: Filters, after: tuple[str, str] | None, limit: int
    ) -> pl.DataFrame:
        """Rows of the reference that may be seen, in order of (instrument, tenant)."""
        ...

    async def reference_version(self) -> int:
        """It grows with every change of the reference."""
        ...

    async def ticks(self, tenants: Names, names: Names, window: Window, known: datetime | None) -> Page:
        """Ticks (`pipeline.schema.TICKS` and `revision`) as they are now, or were known at an instant."""
        ...

    async def bars(self, tenants: Names, names: Names, interval: str, window: Window) -> Page:
        """Bars with the fields of a shown bar, but `is_final`, and `tenant`."""
        ...

    async def held(self, tenant: str, name: str, start: datetime, end: datetime) -> pl.DataFrame:
        """`pipeline.expected.HELD` of a document's instrument: usable prices published for instants in [start, end)."""
        ...

    async def extent(self, tenant: str, name: str) -> Extent | None:
        """Between which starts an instrument has usable prices; None where it has none."""
        ...

    async def names_of(self, tenant: str, name: str) -> Named:
        """(name, the earliest interval that was seen under it) of an instrument's location, oldest first."""
        ...

    async def watermark(self) -> datetime:
        """The latest append time of what has landed."""
        ...

    async def latest(self, tenants: Names, names: Names, mode: Mode | None, now: datetime) -> pl.DataFrame:
        """The latest tick (`TICKS`, `revision`, `mode`, `newest_start`) of each instrument that has one.

        Without a mode: of a product that lies in the future by design the price in force, where there is one.
        """
        ...

    async def has_landed(self, at: datetime) -> bool:
        """Whether all that was known at an instant has landed; that is so for ever."""
        ...

    async def known_until(self) -> datetime:
        """Everything that is known before this instant has landed: what was known earlier cannot change any more."""
        ...

    async def revisions(self, tenants: Names, names: Names, window: Window, known: datetime | None) -> Page:
        """Every publication that changed a price, of all or of those known at an instant: the fields of `ticks`."""
        ...

    async def block_bars(self, reference: pl.DataFrame, interval: str, block: Block, window: Window) -> Page:
        """As `bars` of the instruments of these rows of the reference, of the hours of a block alone (`1h`, `1d`)."""
        ...

    async def known_bars(
        self, reference: pl.DataFrame, interval: str, window: Window, known: datetime, block: Block | None = None
    ) -> Page:
        """As `bars` or `block_bars` of the instruments of these rows of the reference; a page that goes on may hold
        fewer rows."""
        ...

    async def known_latest(self, tenants: Names, names: Names, mode: Mode | None, known: datetime) -> pl.DataFrame:
        """As `latest` was at an instant."""
        ...

    async def curve_snapshots(self, tenant: str, curve: str, first: date, last: date, limit: int) -> Stored:
        """The stored snapshots of a curve of sessions in [first, last], in order, the first `limit` of them."""
        ...

    async def curve_until(self, tenant: str, curve: str, at: datetime) -> Stored:
        """The newest stored snapshot of a curve whose `at` is not after an instant; empty where there is none."""
        ...

    async def curve_sessions(
        self, tenant: str, curve: str, span: tuple[date, date], known: datetime, limit: int, *, newest: bool
    ) -> Sequence[date]:
        """The newest (or the first) sessions in [first, last] of a curve of which something was known at an instant."""
        ...

    async def curve_publications(self, of: Inputs, known: datetime | None) -> pl.DataFrame:
        """Every publication (`pipeline.schema.SEEN`), of all or of those known at an instant."""
        ...

    async def leg_publications(self, tenants: Names, legs: pl.DataFrame, known: datetime | None) -> pl.DataFrame:
        """Every publication (`pipeline.schema.SEEN`) of prices (`instrument, at`), or those known by then."""
        ...

    async def snapshot(self, *, fresh: bool = False) -> Snapshot:
        """The reference, at most a second old; `fresh`: as new as this call, if PostgreSQL answers."""
        ...

    async def reference_state(self) -> ReferenceState:
        """Which snapshot of the reference is used now, and why it may be old."""
        ...

    async def load_reference(self, given: Given, mode: LoadMode, by: By) -> Loaded:
        """Loads a file of reference data, which is recorded. Raises `Refused` where it contradicts what is there."""
        ...

    async def add_usage(self, counts: Sequence[tuple[Whose, Used]]) -> Mapping[tuple[date, str], int]:
        """Adds to what keys have used; gives the rows that their tenants have used on those days."""
        ...

    async def usage(self, tenant: str, since: date) -> Sequence[tuple[Whose, Used]]:
        """What the keys of a tenant have used, by day and key."""
        ...

    async def audit_records(self, filters: AuditFilters, after: int, limit: int) -> Sequence[Record]:
        """Records of the audit record beyond the number `after`, the newest last."""
        ...

    async def append_audit(self, entries: Sequence[Entry], at: datetime) -> None:
        """Adds records in a transaction of their own."""
        ...

    async def stopped(self) -> list[str]:
        """Why lanes read nothing more, as sentences; nothing where PostgreSQL does not tell in time."""
        ...

    async def away(self) -> dict[Store, str]:
        """The stores that do not answer, each with what it said; within 2 seconds."""
        ...
