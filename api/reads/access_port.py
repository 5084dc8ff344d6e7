"""What the routes of keys and tenants need from the stores: a part of `api.reads.ports.Reads`."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Protocol

from db.postgres.access import StoredKey
from db.postgres.changes import By, Change, Performed
from db.postgres.idempotency import Once
from db.postgres.keys import Key
from db.postgres.tenants import Tenant
from db.tenants.erase import Erased
from db.tenants.export import Row
from service.apikey import Peppers

Whose = Sequence[str] | None
"""Tenants; None: all."""


class Access(Protocol):
    """`db.postgres.refused.Refused` says why something is not there or not done."""

    @property
    def peppers(self) -> Peppers:
        """What keys are HMACed with."""
        ...

    async def find_key(self, key_id: str) -> StoredKey | None: ...

    async def keys_of(self, whose: Whose, after: tuple[datetime, str] | None, limit: int) -> Sequence[Key]:
        """The oldest first, beyond (created_at, id)."""
        ...

    async def key_of(self, key_id: str, whose: Whose) -> Key: ...

    async def tenants_of(self, whose: Whose, after: str | None, limit: int) -> Sequence[Tenant]:
        """In order of their ids, beyond `after`."""
        ...

    async def tenant_of(self, tenant: str) -> Tenant: ...

    async def change(self, change: Change, by: By, once: Once | None) -> Performed:
        """Makes a change and its audit record; `once`: or answers as the first time."""
        ...

    async def erase(self, tenant: str, by: By) -> Erased:
        """Erases a tenant from all stores."""
        ...

    def exported(self, tenant: str) -> AsyncGenerator[Row]:
        """What a tenant has in PostgreSQL."""
        ...
