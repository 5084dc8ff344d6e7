"""A tenant's latest prices taken out of Redis, told in the landed log as prices that are there no more."""

from typing import Any, cast

from redis.asyncio import Redis

from db.redis.landed import AN_ENTRY, STREAM, Bounds, Change, row
from db.redis.latest import register_of


async def forget(redis: Redis, tenant: str, bounds: Bounds) -> int:
    """Removes them and gives their number. Whoever keeps prices of their own drops these when they read the log."""
    removed = 0
    while names := await _some(redis, tenant):
        rows = ",".join(row(Change(name, "", None, None)) for name in names)
        fields = {"tenant": tenant, "kind": "latest", "rows": f"[{rows}]"}
        async with redis.pipeline(transaction=True) as pipe:
            pipe.hdel(register_of(tenant), *names)
            pipe.xadd(STREAM, cast("Any", fields), maxlen=bounds.entries, approximate=False)
            await pipe.execute()
        removed += len(names)
    return removed


async def _some(redis: Redis, tenant: str) -> list[str]:
    found = cast("list[bytes]", await cast("Any", redis.hrandfield(register_of(tenant), AN_ENTRY)))
    return [each.decode() for each in found or []]
