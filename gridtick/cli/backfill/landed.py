"""How far a job has landed: as long as something lands, it is waited for."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import OUTAGE
from db.postgres.ledger import Outcome, contiguous_end, outcome
from gridtick.cli.backfill.journal import Spans
from gridtick.cli.landing import LANDS_WITHIN_S
from pipeline.errors import DataProcessingError

LOOK_S: Final = 1.0
T = TypeVar("T")


class Landed:
    """Reads the ledger of one topic; what is known to have landed is not asked for again. Close it."""

    def __init__(self, engine: AsyncEngine, topic_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._topic_id, self._clock = engine, topic_id, clock
        self._runner = asyncio.Runner()
        self._reached: dict[int, int] = {}
        self._looked_at = float("-inf")

    def close(self) -> None:
        self._wait(self._engine.dispose())
        self._runner.close()

    def covered(self, spans: Spans) -> int:
        """How many offsets of the spans have landed without a hole, at most a second ago; as before where the ledger
        does not answer."""
        if self._clock() >= self._looked_at + LOOK_S:
            self._looked_at = self._clock()
            with suppress(*OUTAGE):  # who waits gives up in time, and a look while sending is only for show
                self._wait(self._look(spans))
        return sum(max(min(self._reached.get(each, 0), end) - first, 0) for each, (first, end) in spans.items())

    def outcome(self, spans: Spans) -> Outcome:
        """What came of the spans."""
        return self._wait(self._outcome(spans))

    async def _look(self, spans: Spans) -> None:
        for each, (first, end) in spans.items():
            since = max(self._reached.get(each, first), first)
            if since < end:
                self._reached[each] = await contiguous_end(self._engine, self._topic_id, each, since)

    async def _outcome(self, spans: Spans) -> Outcome:
        parts = [await outcome(self._engine, self._topic_id, each, *span) for each, span in spans.items()]
        return sum(parts, start=Outcome())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)


def width(spans: Spans) -> int:
    """How many offsets the spans have; some may hold messages of others."""
    return sum(end - first for first, end in spans.values())


def until_landed(
    covered: Callable[[], int], wanted: int, told: Callable[[int], None],
    clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep,
) -> None:  # fmt: skip
    """Returns once `wanted` offsets have landed; `told` hears how far it is.

    Raises `DataProcessingError` when nothing lands for `LANDS_WITHIN_S`, however long all of it takes.
    """
    most, at = -1, clock()
    while (now := covered()) < wanted:
        told(now)
        if now > most:
            most, at = now, clock()
        elif clock() - at > LANDS_WITHIN_S:
            raise DataProcessingError(
                f"for {LANDS_WITHIN_S:.0f} s nothing has landed, {wanted - now} messages are left. `gridtick status` "
                "shows what waits; the same command waits on.",
                "cli",
            )
        pause(LOOK_S)
    told(now)
