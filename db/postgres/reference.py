"""The reference table of instruments, read as a snapshot with a version that grows with every change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl
from sqlalchemy import ARRAY, ColumnElement, Row, Text, and_, any_, bindparam, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.postgres.tables import instrument_names, instruments
from db.postgres.tables import reference_version as version_table
from db.postgres.walls import reading
from db.visible import Visible
from pipeline.schema import INSTANT, PUBLIC, REFERENCE, Schema

# Names sort as bytes, whatever the locale of the database: a page must go on where the last one ended.
_ORDER: Final = (instruments.c.instrument.collate("C"), instruments.c.tenant.collate("C"))
_GIVEN: Final = tuple(name for name in REFERENCE if name not in {"name", "complete", "first_seen"})
_NAMES: Final = instrument_names.c
NAMES: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "name": pl.String(),
    "since": INSTANT,  # the earliest interval that was seen under it
}
_OF_IT: Final = (_NAMES.tenant == instruments.c.tenant, _NAMES.instrument == instruments.c.instrument)
_NEWEST: Final = select(_NAMES.name).where(*_OF_IT).order_by(_NAMES.since.desc(), _NAMES.name).limit(1)
_COLUMNS: Final = [
    _NEWEST.scalar_subquery().label("name") if name == "name" else instruments.c[name] for name in REFERENCE
]

# Sorted, so that two writers of the same instruments wait for each other instead of dead-locking.
_REGISTER: Final = text(f"""
INSERT INTO instruments ({", ".join(_GIVEN)}, first_seen)
SELECT * FROM unnest(
    {", ".join(f"CAST(:{name} AS text[])" for name in _GIVEN)}, CAST(:first_seen AS timestamptz[])
) AS given({", ".join(_GIVEN)}, first_seen)
ORDER BY tenant, instrument
ON CONFLICT DO NOTHING
""")  # noqa: S608 - column names of this module, values are bound

# A name that was seen earlier than it was known to be has been it since then; any other one changes nothing.
_NAME: Final = text("""
INSERT INTO instrument_names (tenant, instrument, name, since)
SELECT * FROM unnest(
    CAST(:tenant AS text[]), CAST(:instrument AS text[]), CAST(:name AS text[]), CAST(:since AS timestamptz[])
) AS given(tenant, instrument, name, since)
ORDER BY tenant, instrument, name
ON CONFLICT (tenant, instrument, name) DO UPDATE SET since = excluded.since
WHERE excluded.since < instrument_names.since
""")


async def register_instruments(engine: AsyncEngine, frame: pl.DataFrame) -> int:
    """Adds instruments that are not there yet; gives their number. What is there stays as it is.

    Columns: those of `REFERENCE` without `complete`; absent ones count as null, `first_seen` is needed.
    """
    if frame.is_empty():
        return 0
    rows = frame.unique(["tenant", "instrument"], keep="first", maintain_order=True)
    nothing = [None] * rows.height
    given = {name: rows[name].to_list() if name in rows.columns else nothing for name in _GIVEN}
    async with engine.begin() as connection:
        done = await connection.execute(_REGISTER, given | {"first_seen": rows["first_seen"].to_list()})
        return done.rowcount


async def register_names(engine: AsyncEngine, frame: pl.DataFrame) -> None:
    """Keeps names of registered instruments: `tenant, instrument, name, since`, each name once."""
    if frame.is_empty():
        return
    async with engine.begin() as connection:
        await connection.execute(
            _NAME, {name: frame[name].to_list() for name in ("tenant", "instrument", "name", "since")}
        )


async def names_of(engine: AsyncEngine, tenant: str, instrument: str) -> list[tuple[str, datetime]]:
    """(name, the earliest interval that was seen under it) of an instrument, oldest first."""
    statement = select(_NAMES.name, _NAMES.since).where(_NAMES.tenant == tenant, _NAMES.instrument == instrument)
    async with reading(engine, [tenant]) as connection:
        rows = (await connection.execute(statement.order_by(_NAMES.since, _NAMES.name))).all()
    return [(name, since) for name, since in rows]


async def reference_version(engine: AsyncEngine) -> int:
    """The version of the reference: it grows with every change and never goes back."""
    async with engine.connect() as connection:
        return await _version(connection)


async def all_instruments(connection: AsyncConnection) -> pl.DataFrame:
    """All instruments (`REFERENCE`)."""
    return _frame((await connection.execute(select(*_COLUMNS))).all())


async def all_names(connection: AsyncConnection) -> pl.DataFrame:
    """All names of all instruments: `tenant, instrument, name, since`."""
    rows = (await connection.execute(select(*(_NAMES[name] for name in NAMES)))).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=dict(NAMES), orient="row")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which instruments: `search` is a part of id, location or any name in any case, the others are exact."""

    market: str | None = None
    product: str | None = None
    search: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        table = instruments.c
        exact = ((table.market, self.market), (table.product, self.product))
        found: list[ColumnElement[bool]] = [column == value for column, value in exact if value is not None]
        if self.search is not None:
            either = [each.icontains(self.search, autoescape=True) for each in (table.instrument, table.location)]
            named = select(_NAMES.name).where(*_OF_IT, _NAMES.name.icontains(self.search, autoescape=True))
            found.append(or_(*either, named.exists()))
        return found


async def find_instruments(
    engine: AsyncEngine, visible: Visible, filters: Filters, after: tuple[str, str] | None, limit: int
) -> pl.DataFrame:
    """Instruments (`REFERENCE`) that may be seen, in order of (instrument, tenant), from beyond `after`."""
    statement = select(*_COLUMNS).where(*_seen(visible), *filters.conditions()).order_by(*_ORDER).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*_ORDER) > tuple_(*after))
    async with reading(engine, visible.tenants) as connection:
        return _frame((await connection.execute(statement)).all())


def _seen(visible: Visible) -> list[ColumnElement[bool]]:
    """As `Visible.condition`."""
    table, entitled = instruments.c, visible.entitled
    granted: list[ColumnElement[bool]] = []
    if entitled.markets is not None:
        granted.append(table.market.in_(entitled.markets))
    if entitled.products is not None:
        whole = table.market + "." + table.product
        granted.append(or_(table.product.in_(entitled.products), whole.in_(entitled.products)))
    found: list[ColumnElement[bool]] = [table.tenant.in_(visible.tenants), table.instrument.not_in(visible.hidden)]
    return [*found, or_(table.tenant != PUBLIC, and_(*granted))] if granted else found


async def instruments_named(engine: AsyncEngine, tenants: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """The instruments (`REFERENCE`) of those names that the tenants have."""
    table = instruments.c
    statement = select(*_COLUMNS).where(
        table.tenant == any_(bindparam("tenants", list(tenants), ARRAY(Text))),
        table.instrument == any_(bindparam("names", list(names), ARRAY(Text))),
    )
    async with reading(engine, tenants) as connection:
        return _frame((await connection.execute(statement)).all())


async def _version(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(version_table.c.version))).scalar_one())


def _frame(rows: Sequence[Row[tuple[object, ...]]]) -> pl.DataFrame:
    return pl.DataFrame([tuple(row) for row in rows], schema=dict(REFERENCE), orient="row")
