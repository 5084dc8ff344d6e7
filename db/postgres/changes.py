"""Administrative changes: each in one transaction with its audit record and, of a post, the answer that is kept."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.postgres import idempotency
from db.postgres.audit import Entry, append
from db.postgres.idempotency import Once


class By(NamedTuple):
    """Who changes: the id of a key (or `audit.CLI`), whose it is, the request, and when."""

    actor: str
    tenant: str
    request_id: str
    at: datetime


class Done(NamedTuple):
    """What was made of what is the tenant's, as the answer (plain JSON values, no secret).

    `target`: the id of what was changed, None where everything was so already: that is no change. `detail`: for the
    audit record, which outlives what it tells of: ids, numbers and rights, never a name that somebody chose.
    """

    answer: dict[str, Any]
    tenant: str
    target: str | None
    detail: Mapping[str, object]


class Change(Protocol):
    """One change. `apply` raises `db.postgres.refused.Refused` where it cannot be made."""

    action: ClassVar[str]

    async def apply(self, connection: AsyncConnection, by: By, /) -> Done: ...


class Performed(NamedTuple):
    """`replayed`: the answer is that of the first time, and nothing was changed now."""

    answer: dict[str, Any]
    replayed: bool = False


async def perform(engine: AsyncEngine, secret: str, change: Change, by: By, once: Once | None = None) -> Performed:
    """Makes the change. `secret`: that of the audit record."""
    async with engine.begin() as connection:
        if once is not None and (first := await idempotency.kept(connection, once, by.at)) is not None:
            return Performed(first, replayed=True)
        done = await change.apply(connection, by)
        if once is not None:
            await idempotency.keep(connection, once, done.tenant, done.answer, by.at)
        if done.target is not None:  # last, for others who append wait from here on
            await append(connection, secret, [_entry(change.action, done, done.target, by)], by.at)
    return Performed(done.answer)


def _entry(action: str, done: Done, target: str, by: By) -> Entry:
    return Entry(done.tenant, by.actor, by.tenant, action, target, "done", by.request_id, done.detail)
