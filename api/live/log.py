"""The one reader of the landed log in a process: it tells its listeners what comes, and when something was lost."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from api.reads.live_port import Lives
from db.redis.landed import A_READ, Entry
from db.redis.live import Head, Look

log = logging.getLogger(__name__)

WAIT_S: Final = 0.1  # for news; then whether Redis is still the same is looked at again
_AGAIN_S: Final = 0.5
_ANSWER_S: Final = 2.0  # after which a connection that tells nothing is given up


class Heard(NamedTuple):
    """What came after what was heard before: often nothing. `whole`: at `began`, an instant of the monotonic clock,
    there was no more."""

    entries: Sequence[Entry]
    began: float
    whole: bool


class Listener(Protocol):
    """Who hears of the log."""

    def begun(self, head: Head) -> None:
        """The log is followed from here on; after something was lost, too."""
        ...

    async def heard(self, heard: Heard) -> None: ...

    def away(self) -> None:
        """The log cannot be read for now; it goes on where it was."""
        ...


class Tail:
    """Up to where the log was read. Numbers without a hole prove that nothing was missed."""

    def __init__(self, head: Head) -> None:
        self.position = head.position
        self._epoch = head.counters.epoch
        self._last = dict(head.counters.last)
        self._doubted = False

    def advance(self, look: Look) -> bool:
        """Goes on to the end of what was read; False where something before it was lost."""
        if look.counters.epoch != self._epoch:
            return False
        for entry in look.entries:
            if entry.seq != self._last.get(entry.kind, 0) + 1:
                return False
            self._last[entry.kind], self.position = entry.seq, entry.id
        return bool(look.entries) or self._is_end(look)

    def _is_end(self, look: Look) -> bool:
        """Numbers that were counted, without entries: added since, or lost. The next look tells."""
        doubted, self._doubted = self._doubted, look.counters.last != self._last
        return not (doubted and self._doubted)


class LogReader:
    """Follows the log for its listeners, whatever happens."""

    def __init__(self, reads: Lives, monotonic: Callable[[], float], listeners: Sequence[Listener]) -> None:
        self._reads = reads
        self._monotonic = monotonic
        self._listeners = listeners
        self._tail: Tail | None = None
        self._said = ""

    async def run(self) -> None:
        """Follows until cancelled."""
        try:
            while True:
                await self._kept_following()
        finally:
            self._tell_away()

    async def _kept_following(self) -> None:
        try:
            await self._follow()
        except Exception as error:
            self._say(f"{type(error).__name__}: {error}"[:300])
            self._tell_away()
            await asyncio.sleep(_AGAIN_S)

    def _tell_away(self) -> None:
        for listener in self._listeners:
            listener.away()

    async def _follow(self) -> None:
        """Until something is lost."""
        tail = self._tail = self._tail or await self._begun()
        while True:
            began = self._monotonic()
            async with asyncio.timeout(_ANSWER_S):
                look = await self._reads.log_look(tail.position, WAIT_S)
            if not tail.advance(look):
                self._tail = None
                self._say("the landed log was lost, or is ahead")
                return
            self._said = ""
            heard = Heard(look.entries, began, whole=len(look.entries) < A_READ)
            for listener in self._listeners:
                await listener.heard(heard)

    async def _begun(self) -> Tail:
        head = await self._reads.log_head()
        for listener in self._listeners:
            listener.begun(head)
        return Tail(head)

    def _say(self, why: str) -> None:
        """Once, however often it is tried."""
        if why != self._said:
            log.warning("the landed log is not followed", extra={"why": why})
        self._said = why
