"""The snapshot that a process works with: as new as its version, which is looked at once a second.

From PostgreSQL through Redis into the process. While PostgreSQL is away the one in hand goes on, or the newest that
Redis has; while Redis is away PostgreSQL is read.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

import asyncpg
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import OUTAGE
from db.redis import reference as blobs
from db.redis.client import OUTAGE as REDIS_OUTAGE
from db.reference import snapshot
from db.reference.snapshot import Snapshot, Versions
from pipeline.errors import DataProcessingError

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
AWAY_LOOK_S: Final = 3.0  # a look at a server that is away may take as long as its time limit
_ANSWER_S: Final = 3.0
_READ_S: Final = 15.0
POSTGRES_AWAY: Final = (*OUTAGE, asyncpg.PostgresError, asyncpg.InterfaceError)
_REDIS_AWAY: Final = (*REDIS_OUTAGE, TimeoutError, DataProcessingError)


T = TypeVar("T")


class State(NamedTuple):
    """Which snapshot is used, how long ago it was known to be the newest, and why it may be an old one."""

    version: int | None
    age_s: float | None
    reason: str | None


class Keeper:
    """One for a process (and its event loop)."""

    def __init__(self, engine: AsyncEngine, redis: Redis, monotonic: Callable[[], float]) -> None:
        self._engine = engine
        self._redis = redis
        self._monotonic = monotonic
        self._held: Snapshot | None = None
        self._next_look = float("-inf")
        self._confirmed = float("-inf")
        self._postgres: str | None = None
        self._redis_says: str | None = None
        self._looking = asyncio.Lock()

    async def current(self, *, fresh: bool = False) -> Snapshot:
        """The snapshot, at most a second old, or (`fresh`) as new as this call. Raises what PostgreSQL raises where
        it is away and no snapshot is to be had."""
        asked = self._monotonic()
        async with self._looking:
            known = self._confirmed >= asked if fresh else self._monotonic() < self._next_look
            if self._held is None or not known:
                await self._look()
            assert self._held is not None
            return self._held

    def state(self) -> State:
        """Of the last look."""
        if self._held is None:
            return State(None, None, self._postgres)
        reasons = [each for each in (self._postgres, self._redis_says) if each]
        return State(self._held.version, self._monotonic() - self._confirmed, " ".join(reasons) or None)

    async def _look(self) -> None:
        began = self._monotonic()
        try:
            async with asyncio.timeout(_READ_S):
                versions = await _within(snapshot.read_versions(self._engine))
                if self._held is None or self._held.versions != versions:
                    self._held = await self._newest(versions)
        except POSTGRES_AWAY as error:
            await self._go_on(error)
            return
        self._postgres, self._confirmed, self._next_look = None, began, began + LOOK_S

    async def _newest(self, versions: Versions) -> Snapshot:
        found = await self._from_redis(versions.all)
        if found is not None and found.versions == versions:
            return found
        read = await snapshot.read(self._engine, self._held)
        await self._to_redis(read)
        return read

    async def _go_on(self, error: BaseException) -> None:
        """PostgreSQL is away."""
        says = f"PostgreSQL does not answer ({type(error).__name__})"
        if self._held is None:
            self._held = await self._from_redis(None)
        if self._held is None:
            self._postgres = f"{says}, and no snapshot of the reference is in Redis."
            raise error
        self._postgres = f"{says}: the reference of version {self._held.version} goes on."
        self._next_look = self._monotonic() + AWAY_LOOK_S
        log.warning("the reference may be old", extra={"says": self._postgres})

    async def _from_redis(self, version: int | None) -> Snapshot | None:
        try:
            blob = await _within(blobs.get(self._redis, version))
            found = None if blob is None else snapshot.from_bytes(blob)
        except _REDIS_AWAY as error:
            self._redis_says = _redis_says(error)
            return None
        self._redis_says = None
        return found

    async def _to_redis(self, found: Snapshot) -> None:
        try:
            await _within(blobs.put(self._redis, found.version, snapshot.to_bytes(found)))
            self._redis_says = None
        except _REDIS_AWAY as error:
            self._redis_says = _redis_says(error)


async def publish(engine: AsyncEngine, redis: Redis) -> bool:
    """Offers the present reference to all processes; False where Redis is away (they read PostgreSQL then)."""
    read = await snapshot.read(engine)
    try:
        await _within(blobs.put(redis, read.version, snapshot.to_bytes(read)))
    except _REDIS_AWAY:
        return False
    return True


async def _within(answer: Awaitable[T]) -> T:
    async with asyncio.timeout(_ANSWER_S):
        return await answer


def _redis_says(error: BaseException) -> str:
    return f"Redis does not hand on the reference ({type(error).__name__}): it is read from PostgreSQL."
