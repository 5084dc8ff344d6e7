"""Tenants and API keys. A key's secret is never stored, only its HMAC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ARRAY, RowMapping, Text, any_, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from db.entitlements import DEFAULT, EVERYTHING, Entitlements, Limits
from db.postgres.tables import api_keys, tenants

_USED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What the store knows of a key and of its tenant. `scopes` None: all scopes of the role; else only these of them.

    `pepper` is the fingerprint of the pepper that `digest` is under; None: it was stored before those were kept.
    """

    id: str
    tenant: str
    name: str
    role: str
    scopes: frozenset[str] | None
    digest: bytes
    expires_at: datetime | None
    revoked_at: datetime | None
    suspended: bool = False  # the tenant is, or it was erased
    entitled: Entitlements = EVERYTHING
    limits: Limits = DEFAULT
    pepper: str | None = None

    def usable(self, now: datetime) -> bool:
        in_time = self.expires_at is None or now < self.expires_at
        return in_time and self.revoked_at is None and not self.suspended


async def ensure_tenant(engine: AsyncEngine, tenant: str, name: str) -> None:
    """Makes the tenant unless it is there."""
    async with engine.begin() as connection:
        await connection.execute(insert(tenants).values(id=tenant, name=name).on_conflict_do_nothing())


async def create_key(engine: AsyncEngine, key: StoredKey) -> None:
    """Stores a new key, or stores the same id again with other contents."""
    values = {
        "id": key.id,
        "tenant": key.tenant,
        "name": key.name,
        "role": key.role,
        "scopes": None if key.scopes is None else sorted(key.scopes),
        "digest": key.digest,
        "pepper": key.pepper,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
    statement = insert(api_keys).values(values).on_conflict_do_update(index_elements=["id"], set_=values)
    async with engine.begin() as connection:
        await connection.execute(statement)


_STORED: Final[Sequence[str]] = (
    "id", "tenant", "name", "role", "scopes", "digest", "expires_at", "revoked_at", "pepper",
)  # fmt: skip
_OF_TENANT: Final[Sequence[str]] = (
    "suspended_at", "erased_at", "markets", "products", "history_days", "requests_per_minute", "rows_per_day",
)  # fmt: skip


async def find_key(engine: AsyncEngine, key_id: str) -> StoredKey | None:
    """The key of this id and what holds for its tenant; revoked and expired ones included."""
    return (await find_keys(engine, [key_id])).get(key_id)


async def find_keys(engine: AsyncEngine, key_ids: Sequence[str]) -> dict[str, StoredKey]:
    """The same of several ids, as far as there are any."""
    columns = [*(api_keys.c[name] for name in _STORED), *(tenants.c[name] for name in _OF_TENANT)]
    statement = select(*columns).join_from(api_keys, tenants, api_keys.c.tenant == tenants.c.id)
    of_these = api_keys.c.id == any_(bindparam("ids", list(key_ids), ARRAY(Text)))
    async with engine.connect() as connection:
        rows = (await connection.execute(statement.where(of_these))).mappings().all()
    return {row["id"]: _stored(row) for row in rows}


def _stored(row: RowMapping) -> StoredKey:
    return StoredKey(
        row["id"],
        row["tenant"],
        row["name"],
        row["role"],
        _set(row["scopes"]),
        row["digest"],
        row["expires_at"],
        row["revoked_at"],
        row["suspended_at"] is not None or row["erased_at"] is not None,
        entitled(row),
        limits(row),
        row["pepper"],
    )


def entitled(row: RowMapping) -> Entitlements:
    """What a row of `tenants` says that it may see."""
    days = row["history_days"]
    history = None if days is None else timedelta(days=days)
    return Entitlements(_set(row["markets"]), _set(row["products"]), history)


def limits(row: RowMapping) -> Limits:
    """What a row of `tenants` says that it may ask for."""
    return Limits(row["requests_per_minute"], row["rows_per_day"])


def _set(names: Sequence[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


async def note_use(engine: AsyncEngine, key_id: str, at: datetime) -> None:
    """Remembers that a key was used, at most once a minute."""
    stale = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < at - _USED_EVERY)
    async with engine.begin() as connection:
        await connection.execute(update(api_keys).where(api_keys.c.id == key_id, stale).values(last_used_at=at))
