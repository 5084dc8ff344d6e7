"""Claim checks: blobs under `claim:{name}` that a later stage picks up; what is never picked up expires."""

from typing import Final, cast

from redis import Redis

TTL_S: Final = 600


def put(redis: Redis, name: str, blob: bytes, ttl_s: int = TTL_S) -> None:
    """Stores a blob; the same name again replaces it."""
    redis.set(_key(name), blob, ex=ttl_s)


def get(redis: Redis, name: str) -> bytes | None:
    """The blob, or nothing when it was dropped, expired, or lost with the server's memory."""
    return cast("bytes | None", redis.get(_key(name)))


def drop(redis: Redis, *names: str) -> None:
    """Frees blobs whose batch has moved on."""
    if names:
        redis.unlink(*(_key(name) for name in names))


def _key(name: str) -> str:
    return f"claim:{name}"
