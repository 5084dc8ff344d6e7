"""The newest snapshot of the reference, one hash: `version`, and `blob` (`db.reference.snapshot.to_bytes`).

It does not expire: while PostgreSQL is away a process that starts begins with it.
"""

from typing import Final, cast

from redis.asyncio import Redis

KEY: Final = "reference"


async def put(redis: Redis, version: int, blob: bytes) -> None:
    """Replaces what is there."""
    await redis.hset(KEY, mapping={"version": version, "blob": blob})  # pyright: ignore[reportGeneralTypeIssues]


async def get(redis: Redis, version: int | None = None) -> bytes | None:
    """The snapshot of a version, or whatever version is there; None where it is not."""
    if version is not None:
        held = cast("bytes | None", await redis.hget(KEY, "version"))  # pyright: ignore[reportGeneralTypeIssues]
        if held is None or int(held) != version:
            return None
    return cast("bytes | None", await redis.hget(KEY, "blob"))  # pyright: ignore[reportGeneralTypeIssues]
