"""Stored batches that wait for a pass, and the turn that keeps one pass at a time scheduled.

Losing any of it is safe: a batch that was never passed never lands, and is sent again.
"""

from typing import Final, cast

from redis import Redis

TURN_S: Final = 15  # longer than a pass: a guard against a scheduler that died, not a lock
_PENDING: Final = "pass:pending"
_TURN: Final = "pass:turn"
_PACE: Final = "pass:pace"
_COMING: Final = "pass:coming"
_FORGOTTEN_US: Final = 60_000_000  # a batch that was announced longer ago is not waited for


def announce(redis: Redis, batch_id: str, now_us: int) -> None:
    """A batch was sent on its way to being stored. Whatever was announced too long ago is forgotten."""
    with redis.pipeline(transaction=False) as pipe:
        pipe.zadd(_COMING, {batch_id: now_us})
        pipe.zremrangebyscore(_COMING, "-inf", now_us - _FORGOTTEN_US)
        pipe.execute()


def arrived(redis: Redis, batch_id: str) -> None:
    """A batch is stored, or has nothing to store."""
    redis.zrem(_COMING, batch_id)


def is_idle(redis: Redis, now_us: int) -> bool:
    """No batch is on its way to being stored."""
    return redis.zcount(_COMING, now_us - _FORGOTTEN_US, "+inf") == 0


def push(redis: Redis, entry: bytes) -> None:
    """Adds a stored batch."""
    redis.rpush(_PENDING, entry)


def take(redis: Redis) -> bytes | None:
    """Takes the batch that waits longest, if any. Whoever takes it passes it, or it is sent again."""
    return cast("bytes | None", redis.lpop(_PENDING))


def waiting(redis: Redis) -> int:
    """How many stored batches wait."""
    return redis.llen(_PENDING)


def acquire_turn(redis: Redis) -> bool:
    """True for the one caller that is to schedule the next pass."""
    return bool(redis.set(_TURN, b"1", nx=True, ex=TURN_S))


def release_turn(redis: Redis) -> None:
    """Lets the next pass be scheduled; called when a pass starts taking, so that what comes later finds a turn."""
    redis.delete(_TURN)


def set_pace(redis: Redis, pause_s: float) -> None:
    """The next pass is not to start before `pause_s` from now: under load it gathers more batches."""
    if pause_s > 0:
        redis.set(_PACE, b"1", px=max(1, int(pause_s * 1000)))


def pause_left(redis: Redis) -> float:
    """Seconds until the next pass may start; 0 when idle."""
    return max(redis.pttl(_PACE), 0) / 1000
