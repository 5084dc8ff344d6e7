"""What the audit record says of a load of reference data."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import polars as pl
from sqlalchemy.ext.asyncio import AsyncConnection

from db.postgres.audit import Entry, append
from db.postgres.changes import By
from pipeline.reference.changes import Changes
from pipeline.reference.tables import TENANT

LOADED: Final = "reference.load"


class Author(NamedTuple):
    """Who loads; `secret`: that of the audit record."""

    by: By
    secret: str


async def record(connection: AsyncConnection, author: Author, changes: Sequence[Changes]) -> None:
    """Appends a record for each tenant whose rows are changed, in the transaction of the load."""
    await append(connection, author.secret, list(_entries(author.by, changes)), author.by.at)


def _entries(by: By, changes: Sequence[Changes]) -> Iterator[Entry]:
    for tenant in sorted({each for found in changes for each in _tenants(found)}):
        counts = {found.table.name: _counts(found, tenant) for found in changes if tenant in _tenants(found)}
        yield Entry(tenant, by.actor, by.tenant, LOADED, ",".join(counts), "done", by.request_id, counts)


def _tenants(found: Changes) -> set[str]:
    return {each for rows in (found.added, found.after, found.removed) for each in rows[TENANT]}


def _counts(found: Changes, tenant: str) -> dict[str, int]:
    frames = {"added": found.added, "changed": found.after, "removed": found.removed}
    return {name: rows.filter(pl.col(TENANT) == tenant).height for name, rows in frames.items()}
