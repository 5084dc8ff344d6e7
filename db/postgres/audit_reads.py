"""The audit record as it is read: pages of it, and whether it is whole."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.postgres.audit import require_secret
from db.postgres.audit_chain import Anchor, Check, Head, Record
from db.postgres.tables import audit, audit_head
from db.postgres.walls import reading
from pipeline.errors import DataProcessingError

MOST: Final = 100  # findings that are told
_AT_ONCE: Final = 1_000  # rows in memory
_COLUMNS: Final = [audit.c[name] for name in Record._fields]
_HEAD: Final = select(audit_head.c.seq, audit_head.c.hash, audit_head.c.seal)
_STILL: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_ANCHOR: Final = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which records: of tenants (None: of all), exact action and actor, of [since, until)."""

    tenants: Sequence[str] | None = None
    action: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        exact = ((audit.c.action, self.action), (audit.c.actor, self.actor))
        found: list[ColumnElement[bool]] = [column == value for column, value in exact if value is not None]
        if self.tenants is not None:
            found.append(audit.c.tenant.in_(self.tenants))
        if self.since is not None:
            found.append(audit.c.at >= self.since)
        if self.until is not None:
            found.append(audit.c.at < self.until)
        return found


async def records(engine: AsyncEngine, filters: Filters, after: int, limit: int) -> list[Record]:
    """Records beyond the number `after`, the newest last."""
    statement = select(*_COLUMNS).where(audit.c.seq > after, *filters.conditions()).order_by(audit.c.seq)
    async with _connection(engine, filters.tenants) as connection:
        return [Record(*row) for row in (await connection.execute(statement.limit(limit))).all()]


def _connection(engine: AsyncEngine, tenants: Sequence[str] | None) -> AbstractAsyncContextManager[AsyncConnection]:
    return engine.connect() if tenants is None else reading(engine, tenants)


class Verdict(NamedTuple):
    """What is wrong, the first `MOST` findings of `number`; `anchor` names the last record."""

    wrong: Sequence[str]
    number: int
    anchor: Anchor


async def verify(engine: AsyncEngine, secret: str, anchor: Anchor | None = None) -> Verdict:
    """Reads every record as of one instant, in constant memory, and says what is wrong with the chain."""
    require_secret(secret)
    check, wrong, number = Check(secret, anchor), list[str](), 0
    async with engine.connect() as connection:
        await connection.execute(_STILL)
        async for found in _findings(connection, check):
            number += 1
            if number <= MOST:
                wrong.append(found)
    return Verdict(wrong, number, check.last)


def read_anchor(written: str) -> Anchor:
    """`SEQ:HASH` as `verify` tells it. Raises `DataProcessingError` for anything else."""
    found = _ANCHOR.fullmatch(written)
    if found is None:
        raise DataProcessingError(
            f"--anchor {written[:80]} is none. Write the number and the hash that `gridtick audit verify` printed, "
            "SEQ:HASH.",
            "cli",
        )
    return Anchor(int(found[1]), bytes.fromhex(found[2]))


async def _findings(connection: AsyncConnection, check: Check) -> AsyncGenerator[str]:
    async for record in _every(connection):
        for found in check.next(record):
            yield found
    row = (await connection.execute(_HEAD)).first()
    for found in check.end(None if row is None else Head(*row)):
        yield found


async def _every(connection: AsyncConnection) -> AsyncIterator[Record]:
    statement = select(*_COLUMNS).order_by(audit.c.seq)
    async with connection.stream(statement, execution_options={"yield_per": _AT_ONCE}) as rows:
        async for row in rows:
            yield Record(*row)
