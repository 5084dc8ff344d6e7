"""Denied accesses on their way into the audit record: noted at once, written in the background.

Equal ones become one record and, of what follows it within a minute, one more with their number: who is denied all the
time makes a record a minute. What cannot be held is counted in a record of its own. While PostgreSQL is away they wait.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from db.postgres.audit import Entry
from pipeline.schema import PUBLIC
from service import clock

log = logging.getLogger(__name__)

ACTION: Final = "access.denied"
ANONYMOUS: Final = "anonymous"
"""The actor of who sent no good key."""
EVERY_S: Final = 1.0
WINDOW_S: Final = 60.0
MOST: Final = 1_000  # different ones that are held at a time
_LAST_S: Final = 5.0  # for what is written in the end
_Append = Callable[[Sequence[Entry], datetime], Awaitable[None]]


class Denied(NamedTuple):
    """What equal ones share. `address`: a network; empty for who has a good key."""

    tenant: str
    actor: str
    reason: str
    route: str
    address: str


_OTHERS: Final = Denied(PUBLIC, ANONYMOUS, "more-than-can-be-held", "", "")


@dataclass(slots=True)
class _Waiting:
    """Equal ones that are not written yet; `sample`: what the first of them asked for."""

    count: int
    first: datetime
    last: datetime
    request_id: str
    sample: dict[str, str]

    def add(self, later: "_Waiting") -> None:
        self.count += later.count
        self.last = later.last


@dataclass(slots=True)
class _Run:
    """Equal ones of a minute; those that are `due` go out with the next writing, others when the minute is over."""

    until: float
    waiting: _Waiting | None
    due: bool = True


class Denials:
    """One for a process (and its event loop)."""

    def __init__(self, append: _Append, monotonic: Callable[[], float]) -> None:
        self._append = append
        self._monotonic = monotonic
        self._runs: dict[Denied, _Run] = {}
        self._stopping = asyncio.Event()
        self._away = False

    def note(self, denied: Denied, request_id: str, sample: dict[str, str]) -> None:
        """Remembers one; never waits. `sample`: plain words for its record, never a secret."""
        now = clock.now()
        kept = denied if denied in self._runs or len(self._runs) < MOST else _OTHERS
        self._add(kept, _Waiting(1, now, now, request_id, sample if kept is denied else {}))

    async def run(self) -> None:
        """Writes every second until it is told to stop, and then what is left."""
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._stopping.wait()
            except TimeoutError:
                await self.write()
        await self._write_last()

    def stop(self) -> None:
        self._stopping.set()

    async def write(self, *, every: bool = False) -> None:
        """Writes what is due, or all; what cannot be written waits."""
        taken = self._taken(every=every)
        if not taken:
            return
        try:
            await self._append([_entry(denied, waiting) for denied, waiting in taken.items()], clock.now())
            self._away = False
        except asyncio.CancelledError:
            self._put_back(taken)
            raise
        except Exception as error:  # whatever it is, it must neither end the writing nor lose what was noted
            self._put_back(taken)
            self._say_away(error)

    async def _write_last(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_S):
                await self.write(every=True)
        left = sum(run.waiting.count for run in self._runs.values() if run.waiting)
        if left:
            log.error("denied accesses are in no audit record", extra={"number": left})

    def _add(self, denied: Denied, waiting: _Waiting) -> None:
        run = self._runs.setdefault(denied, _Run(self._monotonic() + WINDOW_S, None))
        if run.waiting is None:
            run.waiting = waiting
        else:
            run.waiting.add(waiting)

    def _taken(self, *, every: bool) -> dict[Denied, _Waiting]:
        now, taken = self._monotonic(), dict[Denied, _Waiting]()
        for denied, run in list(self._runs.items()):
            over = now >= run.until
            if run.waiting is not None and (run.due or over or every):
                taken[denied] = run.waiting
                self._runs[denied] = _Run(now + WINDOW_S, None, due=False)
            elif over:
                del self._runs[denied]
        return taken

    def _put_back(self, taken: dict[Denied, _Waiting]) -> None:
        for denied, waiting in taken.items():
            later = self._runs[denied].waiting
            if later is not None:
                waiting.add(later)
            self._runs[denied] = _Run(self._monotonic() + WINDOW_S, waiting)

    def _say_away(self, error: Exception) -> None:
        if not self._away:
            says = {"error": type(error).__name__, "says": str(error)[:300]}
            log.warning("denied accesses wait for the audit record", extra=says)
        self._away = True


def _entry(denied: Denied, waiting: _Waiting) -> Entry:
    times = {"count": waiting.count, "first": waiting.first, "last": waiting.last}
    address = {"address": denied.address} if denied.address else {}
    detail = {"reason": denied.reason, **waiting.sample, **address, **times}
    who = (denied.tenant, denied.actor, "" if denied.actor == ANONYMOUS else denied.tenant)
    return Entry(*who, ACTION, denied.route, "denied", waiting.request_id, detail)
