"""One chain of tasks of a kind at a time: who begins it holds the claim, and each task of the chain keeps it alive.

Only a hint. A claim that is lost with Redis lets a second chain begin beside the first, which does no harm.
"""

from typing import Final

from redis import Redis

ALIVE_S: Final = 600  # a task may be lost, or wait behind others


def begin(redis: Redis, name: str) -> bool:
    """True for the one caller that is to send the first task."""
    return bool(redis.set(_key(name), b"1", nx=True, ex=ALIVE_S))


def go_on(redis: Redis, name: str) -> None:
    """Another task of the chain is sent."""
    redis.set(_key(name), b"1", ex=ALIVE_S)


def end(redis: Redis, name: str) -> None:
    """The next chain may begin."""
    redis.delete(_key(name))


def _key(name: str) -> str:
    return f"chain:{name}"
