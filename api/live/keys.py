"""Whether the keys of open connections are still good, and what they may see: looked at again and again.

A key that was revoked is told within `EVERY_S` and an answer of PostgreSQL, whatever it takes to look at what others
may see. Where that cannot be asked for longer than `UNSURE_S`, nobody is sure of any: all are sent away, and may come
again with their resume tokens.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from api.live.connection import Connection
from api.problems import Problem
from api.reads.ports import Reads
from api.security.principal import Principal, principal_of
from db.entitlements import EVERYTHING
from db.postgres.access import StoredKey
from service import clock

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
UNSURE_S: Final = 4.0
ANSWER_S: Final = 1.5  # for an answer about all keys
SIGHT_S: Final = 2.0  # for what they may see, at a time; who is left is looked at the next time


class Keys:
    """Of the connections that have one."""

    def __init__(self, reads: Reads, monotonic: Callable[[], float]) -> None:
        self._reads = reads
        self._monotonic = monotonic
        self._of: dict[str, dict[Connection, None]] = {}
        self._sure = monotonic()

    def count(self, key_id: str) -> int:
        """How many connections a key has."""
        return len(self._of.get(key_id, ()))

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
        self._dismiss(key_id for key_id, principal in good.items() if principal is None)
        with suppress(Problem, TimeoutError):  # it is repeated
            async with asyncio.timeout(SIGHT_S):
                await self._judge_all([principal for principal in good.values() if principal is not None])

    def _dismiss(self, ended: Iterable[str]) -> None:
        for key_id in ended:
            for connection in list(self._of.get(key_id, ())):
                connection.dismiss(4401, "revoked", "This key was revoked, has expired, or its tenant is suspended.")

    async def _judge_all(self, principals: Sequence[Principal]) -> None:
        version = (await self._reads.snapshot()).version if principals else 0
        for principal in principals:
            for connection in list(self._of.get(principal.key_id, ())):
                await self._judge(connection, principal, version)

    async def _judge(self, connection: Connection, principal: Principal, version: int) -> None:
        """What follows from legs that may be seen changes with the reference; what everybody may see does not."""
        stands = principal == connection.principal and connection.is_settled
        if stands and (principal.entitled == EVERYTHING or connection.version == version):
            return
        connection.is_settled = False
        try:
            await connection.changed(principal)
        except Problem:
            log.info("what a connection may see could not be looked at", extra={"key_id": principal.key_id})
        except Exception:  # of one connection: the keys of all others are to be looked at
            log.exception("what a connection may see cannot be looked at", extra={"key_id": principal.key_id})
        else:
            connection.version, connection.is_settled = version, True

    def _doubt(self) -> None:
        if self._monotonic() - self._sure <= UNSURE_S:
            return
        for of in list(self._of.values()):
            for connection in list(of):
                connection.dismiss(
                    4503, "unsure", "Whose key this is cannot be checked for now. Come again, and resume."
                )


def _usable(stored: StoredKey | None) -> Principal | None:
    return principal_of(stored) if stored is not None and stored.usable(clock.now()) else None
