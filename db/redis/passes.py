"""Stored batches that wait for a pass, and the turn that keeps one pass at a time scheduled.

Losing any of it is safe: a batch that was never passed never lands, and is sent again.
"""

from typing import Final, cast

from redis import Redis

TURN_S: Final = 15  # longer than a pass: a guard against a scheduler that died, not a lock
_PENDING: Final = "pass:pending"
_TURN: Final = "pass:turn"
_PACE: Final = "pass:pace"


def push(redis: Redis, entry: bytes) -> None:
    """Adds a stored batch."""
    redis.rpush(_PENDING, entry)


def take(redis: Redis, most: int) -> list[bytes]:
    """Takes waiting batches, oldest first. Whoever takes them passes them, or they are sent again."""
    return cast("list[bytes] | None", redis.lpop(_PENDING, most)) or []


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
