"""Keys and tenants as the routes read and change them, in memory."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from api.reads.access_port import Whose
from db.postgres.access import StoredKey
from db.postgres.changes import By, Change, Performed
from db.postgres.idempotency import Once
from db.postgres.keys import CreateKey, Key, RevokeKey, RotateKey
from db.postgres.refused import Refused
from db.postgres.tenants import LIMITED, CreateTenant, LimitTenant, ResumeTenant, SuspendTenant, Tenant
from db.tenants.erase import Erased
from db.tenants.export import Row
from service.apikey import Peppers

PEPPER = "a pepper for tests"
_BEGAN = datetime(2026, 7, 1, tzinfo=UTC)


def tenant_row(name: str, **more: object) -> Tenant:
    dates = {"created_at": "2026-07-01T00:00:00Z", "suspended_at": None, "erased_at": None}
    return {"id": name, "name": name, **dates, **dict.fromkeys(LIMITED), **more}


class FakeAccess:
    """`api.reads.access_port.Access`. `changes` holds what was asked for, and by whom."""

    def __init__(self) -> None:
        super().__init__()
        self.peppers = Peppers(PEPPER)
        self.keys: dict[str, StoredKey] = {}
        self.replaced: dict[str, str] = {}
        self.tenants = {name: tenant_row(name) for name in ("acme", "other", "public")}
        self.posts: dict[tuple[str, bytes], tuple[bytes, dict[str, Any]]] = {}
        self.changes: list[tuple[Change, By]] = []
        self.erased: list[str] = []

    async def keys_of(self, whose: Whose, after: tuple[datetime, str] | None, limit: int) -> Sequence[Key]:
        rows = [self._row(each) for each in self.keys.values() if whose is None or each.tenant in whose]
        there = [row for row in rows if after is None or row["id"] > after[1]]
        return sorted(there, key=lambda row: row["id"])[:limit]

    async def key_of(self, key_id: str, whose: Whose) -> Key:
        return self._row(self._key(key_id, whose))

    async def tenants_of(self, whose: Whose, after: str | None, limit: int) -> Sequence[Tenant]:
        rows = [row for row in self.tenants.values() if whose is None or row["id"] in whose]
        return [row for row in rows if after is None or row["id"] > after][:limit]

    async def tenant_of(self, tenant: str) -> Tenant:
        if tenant not in self.tenants:
            raise Refused("not-found", f"tenant: there is no {tenant!r} for this key.")
        return self.tenants[tenant]

    async def change(self, change: Change, by: By, once: Once | None) -> Performed:
        if once is not None and (once.tenant, once.name) in self.posts:
            request, answer = self.posts[once.tenant, once.name]
            if request != once.request:
                raise Refused("idempotency-mismatch", "another request had this Idempotency-Key.")
            return Performed(answer, replayed=True)
        answer = await self._applied(change, by)
        self.changes.append((change, by))
        if once is not None:
            self.posts[once.tenant, once.name] = (once.request, answer)
        return Performed(answer)

    async def erase(self, tenant: str, by: By) -> Erased:
        await self.tenant_of(tenant)
        self.erased.append(tenant)
        return {"postgres": {"api_keys": 1}, "clickhouse": {}, "redis": {"latest": 0}}

    async def exported(self, tenant: str) -> AsyncGenerator[Row]:
        yield Row("tenants", await self.tenant_of(tenant))

    async def _applied(self, change: Change, by: By) -> dict[str, Any]:
        match change:
            case CreateKey(new, tenant, name, role, scopes, expires_at):
                await self.tenant_of(tenant)
                made = StoredKey(new.id, tenant, name, role, scopes, new.digest, expires_at, None)
            case RotateKey(new, key_id, whose, keep, expires_at):
                old = self._key(key_id, whose)
                self.keys[key_id] = replace(old, expires_at=by.at + keep)
                self.replaced[new.id] = key_id
                made = replace(old, id=new.id, digest=new.digest, expires_at=expires_at)
            case RevokeKey(key_id, whose):
                made = replace(self._key(key_id, whose), revoked_at=by.at)
            case _:
                return self._tenant_changed(change, by)
        self.keys[made.id] = made
        return self._row(made)

    def _tenant_changed(self, change: Change, by: By) -> Tenant:
        match change:
            case CreateTenant(tenant, name, limited):
                self.tenants[tenant] = tenant_row(tenant)
                values = {"name": name, **limited}
            case LimitTenant(tenant, values):
                pass
            case SuspendTenant(tenant):
                values = {"suspended_at": msgspec.to_builtins(by.at)}
            case ResumeTenant(tenant):
                values = {"suspended_at": None}
            case _:
                raise AssertionError(change)
        self.tenants[tenant] |= values
        return self.tenants[tenant]

    def _key(self, key_id: str, whose: Whose) -> StoredKey:
        found = self.keys.get(key_id)
        if found is None or (whose is not None and found.tenant not in whose):
            raise Refused("not-found", f"id: there is no key {key_id!r} for this key.")
        return found

    def _row(self, key: StoredKey) -> Key:
        row = {
            "id": key.id, "tenant": key.tenant, "name": key.name, "role": key.role,
            "scopes": None if key.scopes is None else sorted(key.scopes), "created_at": _BEGAN,
            "expires_at": key.expires_at, "last_used_at": None, "revoked_at": key.revoked_at,
            "replaces": self.replaced.get(key.id), "created_by": "cli",
        }  # fmt: skip
        return msgspec.to_builtins(row)
