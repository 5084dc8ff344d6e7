"""Keys and tenants over the real stores."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from api.problems import Problem
from api.reads.access_port import Whose
from api.reads.known import COMPUTING_S, Connections
from api.reads.usage import UsageReads
from db.postgres import access, keys, tenants
from db.postgres.access import StoredKey
from db.postgres.changes import By, Change, Performed, perform
from db.postgres.idempotency import Once
from db.postgres.keys import Key
from db.postgres.tenants import Tenant
from db.postgres.walls import reading
from db.tenants import erase, export
from service import clock

log = logging.getLogger(__name__)


class AccessReads(UsageReads):
    """`api.reads.access_port.Access`."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections)
        self.peppers = connections.peppers
        self._bounds = connections.landed
        self._background: set[asyncio.Task[None]] = set()

    async def find_key(self, key_id: str) -> StoredKey | None:
        async with self._watch.reading("postgres"):
            return await access.find_key(self._postgres, key_id)

    def note_use(self, key_id: str) -> None:
        """Remembers in the background that a key was used: no request waits for it."""
        self._later(access.note_use(self._postgres, key_id, clock.now()), "the use of a key was not noted", key_id)

    def rehash(self, key_id: str, old: bytes, new: bytes, pepper: str) -> None:
        """Puts a key under another pepper in the background; the next use tries again."""
        self._later(keys.rehash(self._postgres, key_id, old, new, pepper), "a key was not put under the pepper", key_id)

    async def keys_of(self, whose: Whose, after: tuple[datetime, str] | None, limit: int) -> Sequence[Key]:
        async with self._watch.reading("postgres"), self._of(whose) as connection:
            return await keys.listed(connection, whose, after, limit)

    async def key_of(self, key_id: str, whose: Whose) -> Key:
        async with self._watch.reading("postgres"), self._of(whose) as connection:
            return await keys.found(connection, key_id, whose)

    async def tenants_of(self, whose: Whose, after: str | None, limit: int) -> Sequence[Tenant]:
        async with self._watch.reading("postgres"), self._of(whose) as connection:
            return await tenants.listed(connection, after, limit, only=whose)

    async def tenant_of(self, tenant: str) -> Tenant:
        async with self._watch.reading("postgres"), self._of([tenant]) as connection:
            return await tenants.found(connection, tenant)

    async def change(self, change: Change, by: By, once: Once | None) -> Performed:
        async with self._watch.reading("postgres"):
            return await perform(self._postgres, self._audit_secret, change, by, once)

    async def erase(self, tenant: str, by: By) -> erase.Erased:
        stores = erase.Stores(self._postgres, self._blocking, self._redis, self._bounds)
        within = partial(self._watch.reading, seconds=COMPUTING_S)
        return await erase.erase(stores, self._audit_secret, tenant, by, within)

    async def exported(self, tenant: str) -> AsyncGenerator[export.Row]:
        async for row in export.rows(self._postgres, tenant):
            yield row

    def _of(self, whose: Whose) -> AbstractAsyncContextManager[AsyncConnection]:
        """Behind the second wall, unless all tenants may be read."""
        return self._postgres.connect() if whose is None else reading(self._postgres, whose)

    def _later(self, work: Coroutine[None, None, None], failed: str, key_id: str) -> None:
        task = asyncio.ensure_future(self._quietly(work, failed, key_id))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _quietly(self, work: Coroutine[None, None, None], failed: str, key_id: str) -> None:
        try:
            async with self._watch.reading("postgres"):
                await work
        except Problem:
            log.warning(failed, extra={"key_id": key_id})
