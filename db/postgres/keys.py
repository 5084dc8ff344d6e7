"""Keys as they are administered: made, listed, replaced and revoked. `db.postgres.access` looks them up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy import ColumnElement, RowMapping, Select, and_, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.postgres.changes import By, Done
from db.postgres.refused import Refused
from db.postgres.tables import api_keys
from db.postgres.tenants import require_active

FIELDS: Final = (
    "id", "tenant", "name", "role", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at", "replaces",
    "created_by",
)  # fmt: skip
_COLUMNS: Final = [api_keys.c[name] for name in FIELDS]
_ORDER: Final = (api_keys.c.created_at, api_keys.c.id.collate("C"))

Key = dict[str, Any]
"""`FIELDS` as plain JSON values; `scopes` null: all of its role. Never the digest."""


async def listed(
    connection: AsyncConnection, tenants: Sequence[str] | None, after: tuple[datetime, str] | None, limit: int
) -> list[Key]:
    """Keys of the tenants (None: of all), the oldest first, beyond (created_at, id)."""
    statement = select(*_COLUMNS).where(*_whose(tenants)).order_by(*_ORDER).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*_ORDER) > tuple_(*after))
    return [_plain(row) for row in (await connection.execute(statement)).mappings()]


async def found(connection: AsyncConnection, key_id: str, tenants: Sequence[str] | None) -> Key:
    """The key, if it is one of these tenants (None: of all). Raises `Refused` else."""
    return _plain(await _one(connection, _of(key_id, tenants), key_id))


async def peppers(connection: AsyncConnection) -> dict[str, str | None]:
    """Of each key's id the fingerprint of the pepper that its digest is under; None where that is not known."""
    rows = (await connection.execute(select(api_keys.c.id, api_keys.c.pepper))).all()
    return {row.id: row.pepper for row in rows}


async def rehash(engine: AsyncEngine, key_id: str, old: bytes, new: bytes, pepper: str) -> None:
    """Puts the digest of a key under another pepper, unless it has changed meanwhile."""
    same = and_(api_keys.c.id == key_id, api_keys.c.digest == old)
    async with engine.begin() as connection:
        await connection.execute(update(api_keys).where(same).values(digest=new, pepper=pepper))


@dataclass(frozen=True, slots=True)
class New:
    """What is stored of a new key's text."""

    id: str
    digest: bytes
    pepper: str


@dataclass(frozen=True, slots=True)
class CreateKey:
    """A key of an active tenant. `scopes` None: all of the role."""

    action: ClassVar = "key.create"
    new: New
    tenant: str
    name: str
    role: str
    scopes: frozenset[str] | None
    expires_at: datetime | None

    async def apply(self, connection: AsyncConnection, by: By, /) -> Done:
        await require_active(connection, self.tenant)
        scopes = None if self.scopes is None else sorted(self.scopes)
        rights = {"tenant": self.tenant, "role": self.role, "scopes": scopes, "expires_at": self.expires_at}
        made = await _insert(connection, self.new, {**rights, "name": self.name, "replaces": None}, by)
        return Done(made, self.tenant, self.new.id, {"role": self.role, "scopes": scopes})


@dataclass(frozen=True, slots=True)
class RotateKey:
    """A key with the rights of another one, which stays good for `keep`, or until its own end where that is sooner.

    `expires_at`: of the new one; None: as the old one expires.
    """

    action: ClassVar = "key.rotate"
    new: New
    id: str
    tenants: Sequence[str] | None
    keep: timedelta
    expires_at: datetime | None

    async def apply(self, connection: AsyncConnection, by: By, /) -> Done:
        of = _of(self.id, self.tenants)
        await require_active(connection, (await _one(connection, of, self.id))["tenant"])  # locked before its keys
        old = await _one(connection, of.with_for_update(), self.id)
        if old["revoked_at"] is not None or (old["expires_at"] is not None and old["expires_at"] <= by.at):
            raise Refused("key-ended", f"id: the key {self.id} is expired or revoked. Make a new one.")
        same = {name: old[name] for name in ("tenant", "name", "role", "scopes")}
        end = min(by.at + self.keep, old["expires_at"] or by.at + self.keep)
        await connection.execute(update(api_keys).where(api_keys.c.id == self.id).values(expires_at=end))
        more = {"expires_at": self.expires_at or old["expires_at"], "replaces": self.id}
        made = await _insert(connection, self.new, same | more, by)
        return Done(made, old["tenant"], self.id, {"new": self.new.id, "keep_seconds": self.keep.total_seconds()})


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """A key that works no more, from now on; one that is revoked stays as it is."""

    action: ClassVar = "key.revoke"
    id: str
    tenants: Sequence[str] | None

    async def apply(self, connection: AsyncConnection, by: By, /) -> Done:
        there = await _one(connection, _of(self.id, self.tenants).with_for_update(), self.id)
        if there["revoked_at"] is not None:
            return Done(_plain(there), there["tenant"], None, {})
        statement = update(api_keys).where(api_keys.c.id == self.id).values(revoked_at=by.at).returning(*_COLUMNS)
        row = (await connection.execute(statement)).mappings().one()
        return Done(_plain(row), there["tenant"], self.id, {})


async def _insert(connection: AsyncConnection, new: New, values: dict[str, Any], by: By) -> Key:
    own = {"id": new.id, "digest": new.digest, "pepper": new.pepper, "created_at": by.at, "created_by": by.actor}
    statement = insert(api_keys).values(own | values).returning(*_COLUMNS)
    return _plain((await connection.execute(statement)).mappings().one())


def _of(key_id: str, tenants: Sequence[str] | None) -> Select[Any]:
    return select(*_COLUMNS).where(api_keys.c.id == key_id, *_whose(tenants))


def _whose(tenants: Sequence[str] | None) -> list[ColumnElement[bool]]:
    return [] if tenants is None else [api_keys.c.tenant.in_(tenants)]


async def _one(connection: AsyncConnection, statement: Select[Any], key_id: str) -> RowMapping:
    row = (await connection.execute(statement)).mappings().first()
    if row is None:
        raise Refused("not-found", f"id: there is no key {key_id!r}. The list of keys shows which there are.")
    return row


def _plain(row: RowMapping) -> Key:
    return msgspec.to_builtins(dict(row))
