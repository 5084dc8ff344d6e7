"""Hears of the landed log and drops what it names from the kept prices. While it does not, nothing is kept."""

import asyncio
import logging
from typing import Final

from redis.asyncio import Redis

from api.latest.kept import Kept
from api.live.log import Heard
from db.redis import generation
from db.redis.live import Head

log = logging.getLogger(__name__)

LOOK_S: Final = 0.1  # whether the prices in Redis are still the same ones
_ANSWER_S: Final = 2.0


class Follower:
    """A listener of the log (`api.live.log.Listener`)."""

    def __init__(self, redis: Redis, kept: Kept) -> None:
        self._redis = redis
        self._kept = kept
        self._epoch: str | None = None
        self._looked = float("-inf")

    def begun(self, head: Head) -> None:  # noqa: ARG002  others go on from there
        """What was kept before may have changed unheard."""
        self.away()

    def away(self) -> None:
        """Meanwhile prices are read from the stores."""
        self._kept.clear()
        self._epoch, self._looked = None, float("-inf")

    async def heard(self, heard: Heard) -> None:
        """Drops prices alone: a bar also changes with prices that are not the latest, and is told several times."""
        for entry in heard.entries:
            if entry.kind == "latest":
                self._kept.drop((entry.tenant, change.instrument) for change in entry.changes)
        if await self._is_same(heard.began) and heard.whole:
            self._kept.confirm(heard.began)

    async def _is_same(self, began: float) -> bool:
        """Whether the prices in Redis are whole, and those that they were."""
        if began - self._looked < LOOK_S:
            return self._epoch is not None
        async with asyncio.timeout(_ANSWER_S):
            present = await generation.read_async(self._redis)
        epoch = present.epoch if present.state == "ready" else None
        if epoch != self._epoch:
            log.info("the latest prices in Redis are others", extra={"state": present.state})
            self._kept.clear()
        self._epoch, self._looked = epoch, began
        return epoch is not None
