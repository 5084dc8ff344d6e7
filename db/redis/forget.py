"""A tenant's latest prices taken out of Redis, told in the landed log as prices that are there no more."""

from typing import Any, cast

from redis.asyncio import Redis

from db.redis.landed import AN_ENTRY, Bounds, Change
from db.redis.latest import register_of
from db.redis.telling import Told, arguments, keys, source


async def forget(redis: Redis, tenant: str, bounds: Bounds) -> int:
    """Removes them and gives their number. Whoever keeps prices of their own drops these when they read the log."""
    removed = 0
    while names := await _some(redis, tenant):
        gone = arguments("latest", (Told(tenant, Change(name, "", None, None)) for name in names), bounds)
        async with redis.pipeline(transaction=True) as pipe:
            pipe.hdel(register_of(tenant), *names)
            pipe.eval(source("append"), len(keys()), *keys(), *gone)
            await pipe.execute()
        removed += len(names)
    return removed


async def _some(redis: Redis, tenant: str) -> list[str]:
    found = cast("list[bytes]", await cast("Any", redis.hrandfield(register_of(tenant), AN_ENTRY)))
    return [each.decode() for each in found or []]
