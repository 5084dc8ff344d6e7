"""The register of the newest prices in Redis, as the API reads it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from redis.asyncio import Redis

from api.reads.ports import Names
from db.redis import generation
from db.redis.latest import read_latest
from pipeline.schema import TICKS, Schema

TICK: Final[Schema] = {**TICKS, "revision": pl.Int64()}
_PLAIN: Final[Mapping[type[pl.DataType], pl.DataType]] = {pl.Decimal: pl.String(), pl.Datetime: pl.Int64()}


async def read(redis: Redis, tenants: Names, names: Names) -> pl.DataFrame | None:
    """The newest ticks (`TICK`) of those that have one; None while the register is not whole."""
    if not await _is_whole(redis):
        return None
    found = [price for tenant in tenants for price in (await read_latest(redis, tenant, names)).values()]
    # Where a price is missing, the register may have been emptied between the two steps.
    lacks = not {price["instrument"] for price in found}.issuperset(names)
    return None if lacks and not await _is_whole(redis) else _frame(found)


async def _is_whole(redis: Redis) -> bool:
    return (await generation.read_async(redis)).state == "ready"


def _frame(prices: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Contents of the register, whose decimals are text and whose instants are microseconds, as `TICK`."""
    plain = {name: _PLAIN.get(type(dtype), dtype) for name, dtype in TICK.items()}
    rows = [{name: price.get(name) for name in TICK} for price in prices]
    return pl.DataFrame(rows, schema=plain).with_columns(
        pl.col(name).cast(dtype) for name, dtype in TICK.items() if type(dtype) in _PLAIN
    )
