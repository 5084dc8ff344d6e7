"""What open connections may see, looked at again as the rights of their keys change, and the reference does.

Beside the look at the keys, which waits for nobody. Who cannot be looked at for longer than `UNSURE_S` is sent away.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Final

from api.live.connection import Connection
from api.live.keys import Keys
from api.problems import Problem
from api.reads.ports import Reads
from api.security.principal import Principal
from db.entitlements import EVERYTHING

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
ANSWER_S: Final = 5.0  # for one connection: the others wait as long
UNSURE_S: Final = 10.0


class Sights:
    """Of the connections that have a good key."""

    def __init__(self, reads: Reads, keys: Keys, monotonic: Callable[[], float]) -> None:
        self._reads = reads
        self._keys = keys
        self._monotonic = monotonic
        self._unsure: dict[Connection, float] = {}  # since when

    def forget(self, connection: Connection) -> None:
        self._unsure.pop(connection, None)

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Looks once at all whose sight may have changed."""
        version = await self._version()
        for connection, principal in self._doubtful(version):
            if connection not in self._keys.connections(principal.key_id):  # it left while another one was looked at
                continue
            since = self._unsure.setdefault(connection, self._monotonic())
            if self._monotonic() - since > UNSURE_S:
                connection.dismiss(
                    4503, "unsure", "What this key may see cannot be told for now. Come again, and resume."
                )
            elif version is not None:
                await self._settle(connection, principal, version)

    async def _version(self) -> int | None:
        """Of the reference; None while it cannot be read."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return (await self._reads.snapshot()).version if self._keys.good else None
        except (Problem, TimeoutError):
            return None

    def _doubtful(self, version: int | None) -> Iterator[tuple[Connection, Principal]]:
        """What follows from legs that may be seen changes with the reference; what everybody may see does not."""
        for key_id, principal in self._keys.good.items():
            for connection in self._keys.connections(key_id):
                is_old = principal.entitled != EVERYTHING and version not in (None, connection.version)
                if is_old or principal != connection.principal or connection in self._unsure:
                    yield connection, principal

    async def _settle(self, connection: Connection, principal: Principal, version: int) -> None:
        key_id = {"key_id": principal.key_id}
        try:
            async with asyncio.timeout(ANSWER_S):
                await connection.changed(principal)
        except (Problem, TimeoutError):
            log.info("what a connection may see could not be looked at", extra=key_id)
        except Exception:  # of one connection: the others are to be looked at
            log.exception("what a connection may see cannot be looked at", extra=key_id)
        else:
            connection.version = version
            self._unsure.pop(connection, None)
