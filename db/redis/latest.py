"""The latest price of every instrument, written by compare-and-set on (bar start, ver, tail).

Content is one JSON object an instrument: its decimals are text with all their digits, its instants microseconds
since 1970.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

import msgspec
import polars as pl
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from pipeline.errors import DataProcessingError

A_CALL: Final = 250  # instruments a script call: 7.5 ms, in which Redis answers nobody else
KEY: Final = ("bar_start", "ver", "tail")
_GROUP: Final = ("tenant", "market", "product", "instrument")
_DIGITS: Final = 19
WIDTH: Final = len(KEY) * _DIGITS


@dataclass(frozen=True, slots=True)
class Written:
    """What became of candidates: `changed` prices, `unchanged` content under a newer key, `older` ones left."""

    changed: int = 0
    unchanged: int = 0
    older: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.changed + other.changed, self.unchanged + other.unchanged, self.older + other.older)


def write_latest(redis: Redis, candidates: pl.DataFrame) -> Written:
    """Offers prices; a stored one gives way only to a greater key, whatever the order of offers.

    Columns: tenant, instrument, market, product, price, and the key: bar_start (instant), ver, tail (integers >= 0);
    all but the key become the content. A null price says that the instrument has none any more. Every instrument
    at most once. Raises `DataProcessingError` for other frames.
    """
    _check(candidates)
    written = Written()
    for (tenant,), rows in candidates.group_by("tenant", maintain_order=True):
        encoded = _encoded(rows)
        for at in range(0, encoded.height, A_CALL):
            written += _offer(redis, str(tenant), encoded.slice(at, A_CALL))
    return written


def _check(candidates: pl.DataFrame) -> None:
    missing = {*_GROUP, *KEY, "price"} - set(candidates.columns)
    if missing:
        raise DataProcessingError(f"latest prices without the columns {sorted(missing)}", "project")


def _encoded(rows: pl.DataFrame) -> pl.DataFrame:
    content = [_as_content(name, dtype) for name, dtype in rows.schema.items() if name not in KEY]
    priced = pl.col("price").is_not_null()
    start = pl.col("bar_start").dt.epoch("us")
    return rows.select(
        "instrument",
        pl.when(priced).then(pl.format("{}:{}", "market", "product")).otherwise(pl.lit("")).alias("group"),
        pl.concat_str(_fixed(start), _fixed(pl.col("ver")), _fixed(pl.col("tail"))).alias("key"),
        pl.when(priced).then(pl.struct(content).struct.json_encode()).otherwise(pl.lit("")).alias("content"),
    )


def _as_content(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return pl.col(name).dt.epoch("us")
    return pl.col(name).cast(pl.String) if dtype.is_decimal() else pl.col(name)


def _fixed(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.String).str.zfill(_DIGITS)


def _offer(redis: Redis, tenant: str, rows: pl.DataFrame) -> Written:
    arguments: list[str] = [str(WIDTH)]
    for row in rows.iter_rows():
        arguments.extend(row)
    answer = cast("bytes", _script(redis)(keys=[_hash(tenant)], args=cast("Any", arguments))).decode()
    return Written(answer.count("2"), answer.count("1"), answer.count("0"))


@cache
def _source() -> str:
    return files("db.redis").joinpath("latest.lua").read_text(encoding="utf-8")


def _script(redis: Redis) -> Any:
    return redis.register_script(_source())


def _hash(tenant: str) -> str:
    return f"latest:{tenant}"


async def read_latest(
    redis: AsyncRedis, tenants: Sequence[str], instruments: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Latest prices by instrument, each a mapping of the offered columns without the key; absent ones are left out.

    An earlier tenant's price hides a later one's.
    """
    found: dict[str, dict[str, Any]] = {}
    if not instruments:
        return found
    for tenant in reversed(tenants):
        stored = cast("list[bytes | None]", await redis.hmget(_hash(tenant), list(instruments)))
        found |= {
            name: _content(blob) for name, blob in zip(instruments, stored, strict=True) if blob and len(blob) > WIDTH
        }
    return found


async def read_latest_market(
    redis: AsyncRedis, tenants: Sequence[str], market: str, product: str | None = None
) -> dict[str, dict[str, Any]]:
    """Latest prices of a market (and product), by instrument in order of their names."""
    names: set[str] = set()
    for tenant in tenants:
        names |= await _names(redis, tenant, market, product)
    ordered = sorted(names)
    found: dict[str, dict[str, Any]] = {}
    for chunk in _chunks(ordered, 1000):
        found |= await read_latest(redis, tenants, chunk)
    return {name: price for name in ordered if (price := found.get(name)) and _is_of(price, market, product)}


async def _names(redis: AsyncRedis, tenant: str, market: str, product: str | None) -> set[str]:
    if product is not None:
        groups = [f"{market}:{product}"]
    else:
        known = cast("set[bytes]", await cast("Any", redis.smembers(f"{_hash(tenant)}:groups")))
        groups = [name for each in known if (name := each.decode()).startswith(f"{market}:")]
    if not groups:
        return set()
    keys = [f"{_hash(tenant)}:{group}" for group in groups]
    return {each.decode() for each in cast("set[bytes]", await cast("Any", redis.sunion(keys)))}


def _is_of(price: dict[str, Any], market: str, product: str | None) -> bool:
    return price.get("market") == market and product in (None, price.get("product"))


def _content(blob: bytes) -> dict[str, Any]:
    return msgspec.json.decode(blob[WIDTH:], type=dict[str, Any])


def _chunks(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for at in range(0, len(names), size):
        yield names[at : at + size]
