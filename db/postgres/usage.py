"""How much each key has asked for, by day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.tables import usage
from db.postgres.walls import reading


class Whose(NamedTuple):
    """A key of a tenant on a day (UTC)."""

    day: date
    tenant: str
    key_id: str


class Used(NamedTuple):
    """Requests that were answered, and rows that were in the answers."""

    requests: int
    rows: int


# Sorted, so that two processes that write the same keys wait for each other instead of dead-locking.
_ADD = text("""
INSERT INTO usage (day, tenant, key_id, requests, rows)
SELECT * FROM unnest(
    CAST(:day AS date[]), CAST(:tenant AS text[]), CAST(:key_id AS text[]), CAST(:requests AS bigint[]),
    CAST(:rows AS bigint[])
) AS given(day, tenant, key_id, requests, rows)
ORDER BY day, tenant, key_id
ON CONFLICT (day, tenant, key_id) DO UPDATE
    SET requests = usage.requests + excluded.requests, rows = usage.rows + excluded.rows
""")


async def add_usage(engine: AsyncEngine, counts: Sequence[tuple[Whose, Used]]) -> Mapping[tuple[date, str], int]:
    """Adds to what is stored; gives the rows that each of these tenants has used on these days, all its keys."""
    given = {name: [getattr(whose, name) for whose, _ in counts] for name in Whose._fields}
    given |= {name: [getattr(used, name) for _, used in counts] for name in Used._fields}
    days, tenants = {whose.day for whose, _ in counts}, {whose.tenant for whose, _ in counts}
    table = usage.c
    totals = (
        select(table.day, table.tenant, func.sum(table.rows))
        .where(table.day.in_(days), table.tenant.in_(tenants))
        .group_by(table.day, table.tenant)
    )
    async with engine.begin() as connection:
        await connection.execute(_ADD, given)
        return {(day, tenant): int(rows) for day, tenant, rows in (await connection.execute(totals)).all()}


async def read_usage(engine: AsyncEngine, tenant: str, since: date) -> list[tuple[Whose, Used]]:
    """What the keys of a tenant have used from a day on, by day and key."""
    table = usage.c
    statement = select(*table).where(table.tenant == tenant, table.day >= since).order_by(table.day, table.key_id)
    async with reading(engine, [tenant]) as connection:
        rows = (await connection.execute(statement)).mappings().all()
    return [(Whose(row["day"], tenant, row["key_id"]), Used(row["requests"], row["rows"])) for row in rows]
