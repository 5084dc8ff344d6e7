"""Follows the landed log and drops what it names from the kept prices. While it does not, nothing is kept."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from redis.asyncio import Redis

from api.latest.kept import Kept
from db.redis import generation, landed

log = logging.getLogger(__name__)

WAIT_S: Final = 0.1  # for news; then whether Redis is still the same is looked at again
_AGAIN_S: Final = 0.5
_ANSWER_S: Final = 2.0  # after which a connection that tells nothing is given up


class Follower:
    """The reader of the log in this process."""

    def __init__(self, redis: Redis, kept: Kept, monotonic: Callable[[], float]) -> None:
        self._redis = redis
        self._kept = kept
        self._monotonic = monotonic
        self._said = ""

    async def run(self) -> None:
        """Follows until cancelled, whatever happens."""
        while True:
            try:
                self._say(await self._follow())
            except Exception as error:  # meanwhile prices are read from the stores
                self._say(f"{type(error).__name__}: {error}"[:300])
            finally:
                self._kept.clear()
            await asyncio.sleep(_AGAIN_S)

    async def _follow(self) -> str:
        """Why it could not go on."""
        began = self._monotonic()
        position, epoch = await landed.newest_async(self._redis), await self._epoch()
        if epoch is None:
            return "the latest prices in Redis are not ready"
        self._kept.confirm(began)
        self._said = ""
        looked = began
        while True:
            began = self._monotonic()
            async with asyncio.timeout(_ANSWER_S):
                read = await landed.follow(self._redis, position, WAIT_S)
            if read.gap or len(read.entries) >= landed.A_READ:
                return "the landed log is ahead"
            self._drop(read)
            position = read.position
            if began - looked >= WAIT_S:
                if await self._epoch() != epoch:
                    return "the latest prices in Redis are others"
                looked = began
            self._kept.confirm(began)

    def _drop(self, read: landed.Read) -> None:
        """Prices alone: a bar also changes with prices that are not the latest, and is told several times over."""
        for entry in read.entries:
            if entry.kind == "latest":
                self._kept.drop((entry.tenant, change.instrument) for change in entry.changes)

    async def _epoch(self) -> str | None:
        """Of the latest prices in Redis; None while they are not whole."""
        present = await generation.read_async(self._redis)
        return present.epoch if present.state == "ready" else None

    def _say(self, why: str) -> None:
        """Once, however often it is tried."""
        if why != self._said:
            log.warning("latest prices are not kept", extra={"why": why})
        self._said = why
