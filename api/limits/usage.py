"""What each key has asked for today: counted here, written to PostgreSQL every few seconds, shared by all processes.

A day is one of UTC. While PostgreSQL is away the counts wait; what others have used meanwhile is not known then.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.problems import Problem
from db.postgres.usage import Used, Whose

log = logging.getLogger(__name__)

FLUSH_S: Final = 2.0

Write = Callable[[Sequence[tuple[Whose, Used]]], Awaitable[Mapping[tuple[date, str], int]]]


@dataclass(slots=True)
class _Waiting:
    requests: int = 0
    rows: int = 0


class Usage:
    """Adds up what is used. `write` adds counts to the store and gives the rows that those tenants have used."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: dict[Whose, _Waiting] = {}
        self._stored: dict[tuple[date, str], int] = {}  # rows of a tenant's day as they were stored last
        self._rows: dict[tuple[date, str], int] = {}  # beside those

    def add(self, whose: Whose, requests: int, rows: int) -> None:
        """Counts what was asked for."""
        waiting = self._waiting.get(whose)
        if waiting is None:
            waiting = self._waiting[whose] = _Waiting()
        waiting.requests += requests
        waiting.rows += rows
        if rows:
            of = (whose.day, whose.tenant)
            self._rows[of] = self._rows.get(of, 0) + rows

    def rows(self, day: date, tenant: str) -> int:
        """The rows that a tenant has used on a day, as far as it is known here."""
        return self._stored.get((day, tenant), 0) + self._rows.get((day, tenant), 0)

    async def run(self) -> None:
        """Writes until cancelled, and then once more."""
        try:
            while True:
                await asyncio.sleep(FLUSH_S)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Writes what waits; it waits on where the store is away."""
        going, self._waiting = self._waiting, {}
        if not going:
            return
        counts = [(whose, Used(each.requests, each.rows)) for whose, each in going.items()]
        try:
            self._written(await self._write(counts), counts)
        except Problem as problem:
            log.info("usage waits to be written", extra={"why": problem.detail})
            for whose, used in counts:
                self.add(whose, used.requests, 0)
                self._waiting[whose].rows += used.rows  # they count as used already

    def _written(self, stored: Mapping[tuple[date, str], int], counts: Sequence[tuple[Whose, Used]]) -> None:
        for whose, used in counts:
            of = (whose.day, whose.tenant)
            self._rows[of] = self._rows.get(of, 0) - used.rows
        self._stored.update(stored)
        newest = max(day for day, _ in stored)
        for kept in (self._stored, self._rows):
            for of in [of for of in kept if of[0] < newest]:
                del kept[of]
