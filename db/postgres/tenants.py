"""Tenants: what they may see and ask for, and whether their keys work."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy import RowMapping, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.postgres.changes import By, Done
from db.postgres.refused import Refused
from db.postgres.tables import tenants
from pipeline.schema import PUBLIC

ID: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)
ENTITLING: Final = ("markets", "products", "history_days")
LIMITED: Final = (*ENTITLING, "rows_per_day", "requests_per_minute")
FIELDS: Final = ("id", "name", "created_at", "suspended_at", "erased_at", *LIMITED)
_COLUMNS: Final = [tenants.c[name] for name in FIELDS]
_BY_ID: Final = tenants.c.id.collate("C")

Tenant = dict[str, Any]
"""`FIELDS` as plain JSON values; of `LIMITED` null is everything, or the default of the installation."""


async def listed(
    connection: AsyncConnection, after: str | None, limit: int, *, only: Sequence[str] | None = None
) -> list[Tenant]:
    """Tenants in order of their ids, beyond `after`; erased ones too."""
    statement = select(*_COLUMNS).order_by(_BY_ID).limit(limit)
    if after is not None:
        statement = statement.where(after < _BY_ID)
    if only is not None:
        statement = statement.where(tenants.c.id.in_(only))
    return [_plain(row) for row in (await connection.execute(statement)).mappings()]


async def found(connection: AsyncConnection, tenant: str, *, lock: bool = False) -> Tenant:
    """The tenant; `lock` keeps other changes of it out until the transaction ends. Raises `Refused` for none."""
    statement = select(*_COLUMNS).where(tenants.c.id == tenant)
    return await _one(connection, statement.with_for_update() if lock else statement, tenant)


async def require_active(connection: AsyncConnection, tenant: str) -> None:
    """Raises `Refused` unless the tenant is there and neither suspended nor erased; so it stays until the
    transaction ends."""
    statement = select(*_COLUMNS).where(tenants.c.id == tenant)
    there = await _one(connection, statement.with_for_update(read=True), tenant)
    for state, fix in (("erased", "Make another tenant."), ("suspended", "`resume` it first.")):
        if there[f"{state}_at"] is not None:
            raise Refused("tenant-inactive", f"tenant: {tenant!r} is {state} and can have no new key. {fix}")


@dataclass(frozen=True, slots=True)
class CreateTenant:
    """`limited`: of `LIMITED`, what is not left to the default."""

    action: ClassVar = "tenant.create"
    id: str
    name: str
    limited: Mapping[str, object]

    async def apply(self, connection: AsyncConnection, by: By, /) -> Done:
        values = {"id": self.id, "name": self.name, "created_at": by.at, **self.limited}
        statement = insert(tenants).values(values).on_conflict_do_nothing().returning(*_COLUMNS)
        row = (await connection.execute(statement)).mappings().first()
        if row is None:
            there = "is there already, or was and is erased: an id is never given again. Take another one"
            raise Refused("tenant-exists", f"id: {self.id!r} {there}.")
        return Done(_plain(row), self.id, self.id, dict(self.limited))


@dataclass(frozen=True, slots=True)
class LimitTenant:
    """`values`: name and limits that change; null takes a limit away."""

    action: ClassVar = "tenant.limit"
    id: str
    values: Mapping[str, object]

    async def apply(self, connection: AsyncConnection, _by: By, /) -> Done:
        there = await _live(connection, self.id)
        if self.id == PUBLIC and any(self.values.get(each) is not None for each in ENTITLING):
            detail = "tenant: what public has of its own it always sees. Limit its requests or rows, or another tenant."
            raise Refused("public-tenant", detail)
        if all(there[name] == value for name, value in self.values.items()):
            return Done(there, self.id, None, {})
        changed = {name: value for name, value in self.values.items() if name != "name"}
        return Done(await _changed(connection, self.id, self.values), self.id, self.id, changed)


@dataclass(frozen=True, slots=True)
class SuspendTenant:
    """Its keys stop working; nothing is removed."""

    action: ClassVar = "tenant.suspend"
    id: str

    async def apply(self, connection: AsyncConnection, by: By, /) -> Done:
        require_not_public(self.id, "suspended")
        there = await _live(connection, self.id)
        if there["suspended_at"] is not None:
            return Done(there, self.id, None, {})
        return Done(await _changed(connection, self.id, {"suspended_at": by.at}), self.id, self.id, {})


@dataclass(frozen=True, slots=True)
class ResumeTenant:
    """Its keys work again."""

    action: ClassVar = "tenant.resume"
    id: str

    async def apply(self, connection: AsyncConnection, _by: By, /) -> Done:
        there = await _live(connection, self.id)
        if there["suspended_at"] is None:
            return Done(there, self.id, None, {})
        return Done(await _changed(connection, self.id, {"suspended_at": None}), self.id, self.id, {})


def require_not_public(tenant: str, what: str) -> None:
    """Raises `Refused` for the tenant that everything public belongs to."""
    if tenant == PUBLIC:
        raise Refused("public-tenant", f"tenant: public cannot be {what}: every tenant reads what is its own.")


async def _live(connection: AsyncConnection, tenant: str) -> Tenant:
    there = await found(connection, tenant, lock=True)
    if there["erased_at"] is not None:
        raise Refused("tenant-inactive", f"tenant: {tenant!r} is erased and stays so. Make another tenant.")
    return there


async def _changed(connection: AsyncConnection, tenant: str, values: Mapping[str, object]) -> Tenant:
    statement = update(tenants).where(tenants.c.id == tenant).values(dict(values)).returning(*_COLUMNS)
    return _plain((await connection.execute(statement)).mappings().one())


async def _one(connection: AsyncConnection, statement: Select[Any], tenant: str) -> Tenant:
    row = (await connection.execute(statement)).mappings().first()
    if row is None:
        raise Refused("not-found", f"tenant: there is no {tenant!r}. The list of tenants shows which there are.")
    return _plain(row)


def _plain(row: RowMapping) -> Tenant:
    return msgspec.to_builtins(dict(row))
