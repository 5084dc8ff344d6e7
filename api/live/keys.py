"""Whether the keys of open connections are still good: looked at again and again.

A key that was revoked is told within `EVERY_S` and an answer of PostgreSQL. Where that cannot be asked for longer than
`UNSURE_S`, nobody is sure of any: all are sent away, and may come again with their resume tokens.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from api.live.connection import Connection
from api.problems import Problem
from api.reads.ports import Reads
from api.security.principal import Principal, principal_of
from db.postgres.access import StoredKey
from service import clock

EVERY_S: Final = 1.0
UNSURE_S: Final = 4.0
ANSWER_S: Final = 1.5  # for an answer about all keys


class Keys:
    """Of the connections that have one. `good`: whose they were at the last look."""

    def __init__(self, reads: Reads, monotonic: Callable[[], float]) -> None:
        self._reads = reads
        self._monotonic = monotonic
        self._of: dict[str, dict[Connection, None]] = {}
        self._sure = monotonic()
        self.good: dict[str, Principal] = {}

    def count(self, key_id: str) -> int:
        """How many connections a key has."""
        return len(self._of.get(key_id, ()))

    def connections(self, key_id: str) -> list[Connection]:
        return list(self._of.get(key_id, ()))

    async def admitted(self, key_id: str) -> Principal | None:
        """Whose key this is, as of now: nothing is remembered."""
        return _usable((await self._reads.find_keys([key_id])).get(key_id))

    def watch(self, connection: Connection, principal: Principal) -> None:
        connection.principal = principal
        self._of.setdefault(principal.key_id, {})[connection] = None

    def forget(self, connection: Connection) -> None:
        if connection.principal is None:
            return
        of = self._of.get(connection.principal.key_id, {})
        of.pop(connection, None)
        if not of:
            self._of.pop(connection.principal.key_id, None)

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Asks once about all of them."""
        began, ids = self._monotonic(), list(self._of)
        try:
            async with asyncio.timeout(ANSWER_S):
                found = await self._reads.find_keys(ids) if ids else {}
        except (Problem, TimeoutError):
            self._doubt()
            return
        self._sure = began
        good = {key_id: _usable(found.get(key_id)) for key_id in ids}
        self.good = {key_id: principal for key_id, principal in good.items() if principal is not None}
        for key_id in good.keys() - self.good.keys():
            self._dismiss(key_id)

    def _dismiss(self, key_id: str) -> None:
        for connection in self.connections(key_id):
            connection.dismiss(4401, "revoked", "This key was revoked, has expired, or its tenant is suspended.")

    def _doubt(self) -> None:
        if self._monotonic() - self._sure <= UNSURE_S:
            return
        for key_id in list(self._of):
            for connection in self.connections(key_id):
                connection.dismiss(
                    4503, "unsure", "Whose key this is cannot be checked for now. Come again, and resume."
                )


def _usable(stored: StoredKey | None) -> Principal | None:
    return principal_of(stored) if stored is not None and stored.usable(clock.now()) else None
