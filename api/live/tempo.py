"""How fast history is told: so many seconds of it in each second, or as fast as it can be read."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from pipeline.schema import LATEST

FRAMES_PER_S: Final = 4


class Tempo:
    """Begins at an instant of history, now. `speed` 0: everything may be told at once."""

    def __init__(self, at: datetime, speed: float, monotonic: Callable[[], float]) -> None:
        self._at, self._speed = at, speed
        self._monotonic = monotonic
        self._began = monotonic()

    @property
    def is_bound(self) -> bool:
        return self._speed > 0

    @property
    def width(self) -> timedelta:
        """How much history is told together, so that frames are not too many."""
        return timedelta(seconds=self._speed / FRAMES_PER_S)

    def now(self) -> datetime:
        """Up to when history may be told."""
        if not self._speed:
            return LATEST
        passed = (self._monotonic() - self._began) * self._speed
        return self._at + timedelta(seconds=min(passed, (LATEST - self._at).total_seconds()))

    async def until(self, at: datetime) -> None:
        """Returns once history may be told up to an instant."""
        if (left := (at - self.now()).total_seconds()) > 0:
            await asyncio.sleep(left / self._speed)
