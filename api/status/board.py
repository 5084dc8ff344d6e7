"""One answer for all callers: worked out at most once in 2 seconds, within a bounded time, the last one kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from api.problems import Problem

log = logging.getLogger(__name__)

FRESH_S: Final = 2.0
MOST_S: Final = 3.0  # that working it out may take


class Shown(NamedTuple):
    """What was worked out last, how old it is, and whether nothing newer could be worked out since."""

    text: bytes
    age_s: float
    stale: bool


class Board:
    """Callers wait for the same work; while it fails they get the last answer without waiting."""

    def __init__(self, make: Callable[[], Awaitable[bytes]], monotonic: Callable[[], float]) -> None:
        self._make = make
        self._monotonic = monotonic
        self._making: asyncio.Task[None] | None = None
        self._tried = float("-inf")
        self._made = float("-inf")
        self._text: bytes | None = None
        self._failed = False

    async def read(self) -> Shown:
        """503 where nothing was ever worked out and the stores do not answer."""
        if self._monotonic() - self._tried >= FRESH_S:
            await self._anew()
        if self._text is None:
            raise Problem(503, "store-away", "The stores do not answer yet. Try again in 5 seconds.", headers=_AGAIN)
        return Shown(self._text, self._monotonic() - self._made, self._failed)

    async def _anew(self) -> None:
        if self._making is None or self._making.done():
            self._making = asyncio.ensure_future(self._try())
        if self._text is None or not self._failed:
            await asyncio.shield(self._making)

    async def _try(self) -> None:
        began = self._monotonic()
        try:
            async with asyncio.timeout(MOST_S):
                text = await self._make()
            self._text, self._made, self._failed = text, began, False
        except (Problem, TimeoutError) as error:
            self._failed = True
            log.warning("the status cannot be worked out", extra={"error": f"{type(error).__name__}: {error}"[:300]})
        finally:
            self._tried = self._monotonic()


_AGAIN: Final = {"Retry-After": "5"}
