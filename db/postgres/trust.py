"""Which pooled connections to PostgreSQL are still alive.

A connection is asked before it is used again. One that does not answer is let go of at once, and with it all that are
as old: a server that went away without a word, or a way to it that forgot its connections, ended them together.
"""

import asyncio
from typing import Any, Final

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

ANSWER_S: Final = 2.0
_DEAD: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Trust:
    """In the connections of one engine."""

    def __init__(self) -> None:
        self._generation = 0

    def watch(self, engine: AsyncEngine) -> None:
        """Asks every connection of the pool before it is used again: one round trip."""
        event.listen(engine.sync_engine, "connect", self._born)
        event.listen(engine.sync_engine, "checkout", self._look)

    def lose(self) -> None:
        """No connection that there is now is used again."""
        self._generation += 1

    def _born(self, _connection: object, entry: ConnectionPoolEntry) -> None:
        entry.info["generation"] = self._generation
        entry.info["fresh"] = True

    def _look(self, connection: Any, entry: ConnectionPoolEntry, _proxy: object) -> None:
        if entry.info.pop("fresh", False):
            return
        generation = entry.info["generation"]
        if generation == self._generation:
            try:
                connection.run_async(_ping)
            except _DEAD:
                self._generation = max(self._generation, generation + 1)
        if generation != self._generation:
            connection.driver_connection.terminate()
            raise DisconnectionError


async def _ping(connection: Any) -> None:
    async with asyncio.timeout(ANSWER_S):
        await connection.execute("SELECT 1")
