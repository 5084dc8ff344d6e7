"""Posts that are sent again: the first answer is kept with the change itself, in its transaction, for a day.

A crash leaves both or neither. While the first of two equal posts is under way the second is refused, not made to
wait. Kept are hashes of the caller's name for the post and of what was asked, and the answer without any secret.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.postgres.refused import Refused
from db.postgres.tables import idempotency

KEPT: Final = timedelta(hours=24)
_AT_ONCE: Final = 1_000  # old answers that one post removes, at most


class Once(NamedTuple):
    """A post that is to be done once: the caller's tenant, and hashes of its name and of route and body."""

    tenant: str
    name: bytes
    request: bytes


def once(tenant: str, name: str, request: bytes) -> Once:
    """Of the name that the caller gave, and route and body as one text."""
    return Once(tenant, hashlib.sha256(name.encode()).digest(), hashlib.sha256(request).digest())


async def kept(connection: AsyncConnection, post: Once, at: datetime) -> dict[str, Any] | None:
    """The answer of the first time; None: this is it, and others are refused until the transaction ends.

    Raises `Refused` where another post had this name, or the first one is under way.
    """
    if not (await connection.execute(select(func.pg_try_advisory_xact_lock(_lock(post))))).scalar_one():
        detail = "the first request with this Idempotency-Key is under way. Send it again in a second."
        raise Refused("idempotency-in-progress", detail)
    row = (await connection.execute(_stored(post, at))).first()
    if row is None:
        return None
    if row.request != post.request:
        detail = "another request had this Idempotency-Key. Take a new one for a new request."
        raise Refused("idempotency-mismatch", detail)
    return row.answer


async def keep(connection: AsyncConnection, post: Once, about: str, answer: Mapping[str, Any], at: datetime) -> None:
    """Keeps the answer (plain JSON values, no secret) about a tenant, and drops some that are too old."""
    values = {**post._asdict(), "answer": dict(answer), "about": about, "at": at}
    statement = insert(idempotency).values(values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["tenant", "name"], set_=values))
    await connection.execute(_too_old(at))


async def forget(connection: AsyncConnection, tenant: str) -> int:
    """Drops all answers about a tenant, whoever got them; how many."""
    return (await connection.execute(delete(idempotency).where(idempotency.c.about == tenant))).rowcount


def _stored(post: Once, at: datetime) -> Any:
    column = idempotency.c
    mine = (column.tenant == post.tenant, column.name == post.name, column.at > at - KEPT)
    return select(column.request, column.answer).where(*mine)


def _too_old(at: datetime) -> Any:
    """Those that another transaction looks at stay for the next time: nobody waits here."""
    column = idempotency.c
    old = select(column.tenant, column.name).where(column.at <= at - KEPT).limit(_AT_ONCE)
    return delete(idempotency).where(tuple_(column.tenant, column.name).in_(old.with_for_update(skip_locked=True)))


def _lock(post: Once) -> int:
    """The number of the lock: two names share one about never, and then the second is asked to come again."""
    digest = hashlib.sha256(post.tenant.encode() + b"\0" + post.name).digest()
    return int.from_bytes(digest[:8], signed=True)
