"""Stored batches that wait for a pass, and the turn that keeps one pass at a time scheduled.

Losing any of it is safe: a batch that was never passed never lands, and is sent again.
"""

from typing import Final, cast

from redis import Redis

TURN_S: Final = 30  # longer than a pass and the wait for it: a guard against a scheduler that died, not a lock
_FORGOTTEN_US: Final = 60_000_000  # a batch that was announced longer ago is not waited for


class Passes:
    """The passes of one lane."""

    def __init__(self, redis: Redis, lane: str) -> None:
        self._redis = redis
        self._pending, self._turn = f"pass:{lane}:pending", f"pass:{lane}:turn"
        self._pace, self._coming = f"pass:{lane}:pace", f"pass:{lane}:coming"

    def announce(self, batch_id: str, now_us: int) -> None:
        """A batch was sent on its way to being stored. Whatever was announced too long ago is forgotten."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.zadd(self._coming, {batch_id: now_us})
            pipe.zremrangebyscore(self._coming, "-inf", now_us - _FORGOTTEN_US)
            pipe.execute()

    def arrived(self, batch_id: str) -> None:
        """A batch is stored, or has nothing to store."""
        self._redis.zrem(self._coming, batch_id)

    def is_idle(self, now_us: int) -> bool:
        """No batch is on its way to being stored."""
        return self._redis.zcount(self._coming, now_us - _FORGOTTEN_US, "+inf") == 0

    def coming(self, now_us: int) -> set[str]:
        """The batches on their way to being stored."""
        found = cast("list[bytes]", self._redis.zrangebyscore(self._coming, now_us - _FORGOTTEN_US, "+inf"))
        return {each.decode() for each in found}

    def push(self, entry: bytes) -> None:
        """Adds a stored batch."""
        self._redis.rpush(self._pending, entry)

    def take(self) -> bytes | None:
        """Takes the batch that waits longest, if any. Whoever takes it passes it, or it is sent again."""
        return cast("bytes | None", self._redis.lpop(self._pending))

    def waiting(self) -> int:
        """How many stored batches wait."""
        return self._redis.llen(self._pending)

    def acquire_turn(self) -> bool:
        """True for the one caller that is to schedule the next pass."""
        return bool(self._redis.set(self._turn, b"1", nx=True, ex=TURN_S))

    def release_turn(self) -> None:
        """Lets the next pass be scheduled; called when a pass starts taking, so that what comes later finds a turn."""
        self._redis.delete(self._turn)

    def set_pace(self, pause_s: float) -> None:
        """The next pass is not to start before `pause_s` from now: under load it gathers more batches."""
        if pause_s > 0:
            self._redis.set(self._pace, b"1", px=max(1, int(pause_s * 1000)))

    def pause_left(self) -> float:
        """Seconds until the next pass may start; 0 when idle."""
        return max(self._redis.pttl(self._pace), 0) / 1000
