"""The register of the newest prices in Redis, as the API reads it."""

from typing import Final

import polars as pl
from redis.asyncio import Redis

from api.reads.ports import Names
from db.redis import generation
from db.redis.contents import decoded
from db.redis.latest import read_latest
from pipeline.schema import TICKS, Schema

TICK: Final[Schema] = {**TICKS, "revision": pl.Int64()}


async def read(redis: Redis, tenants: Names, names: Names) -> pl.DataFrame | None:
    """The newest ticks (`TICK`) of those that have one; None while the register is not whole."""
    if not await _is_whole(redis):
        return None
    found = [price for tenant in tenants for price in (await read_latest(redis, tenant, names)).values()]
    # Where a price is missing, the register may have been emptied between the two steps.
    lacks = not {price["instrument"] for price in found}.issuperset(names)
    return None if lacks and not await _is_whole(redis) else decoded(found, TICK)


async def _is_whole(redis: Redis) -> bool:
    return (await generation.read_async(redis)).state == "ready"
