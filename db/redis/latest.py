"""The latest price of every instrument, written by compare-and-set on (bar start, ver, tail).

Content is one JSON object an instrument (`db.redis.contents`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import uuid4

import msgspec
import polars as pl
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from db.redis.contents import encoded
from db.redis.landed import COUNTERS, STREAM, Bounds
from db.redis.telling import packed, script
from pipeline.errors import DataProcessingError

A_CALL: Final = 250  # instruments a script call: 7.5 ms, in which Redis answers nobody else
KEY: Final = ("bar_start", "ver", "tail")
_WHOSE: Final = ("tenant", "instrument")
_DIGITS: Final = 19
WIDTH: Final = len(KEY) * _DIGITS
_ENCODER: Final = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class Written:
    """What became of candidates: `changed` prices, `unchanged` content under a newer key, `older` ones left."""

    changed: int = 0
    unchanged: int = 0
    older: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.changed + other.changed, self.unchanged + other.unchanged, self.older + other.older)


def write_latest(redis: Redis, candidates: pl.DataFrame, bounds: Bounds) -> Written:
    """Offers prices; a stored one gives way only to a greater key, whatever the order of offers. Prices that changed
    are told in the landed log (`db.redis.landed`) in the same moment.

    Columns: tenant, instrument, price, start, revision, and the key: bar_start (instant), ver, tail (integers >= 0);
    all but the key become the content. A null price says that the instrument has none any more. Every instrument
    at most once. Raises `DataProcessingError` for other frames.
    """
    _check(candidates)
    written = Written()
    for (tenant,), rows in candidates.group_by("tenant", maintain_order=True):
        offers = _offers(rows)
        for at in range(0, offers.height, A_CALL):
            written += _offer(redis, str(tenant), offers.slice(at, A_CALL), bounds)
    return written


def _check(candidates: pl.DataFrame) -> None:
    missing = {*_WHOSE, *KEY, "price", "start", "revision"} - set(candidates.columns)
    if missing:
        raise DataProcessingError(f"latest prices without the columns {sorted(missing)}", "project")


def _offers(rows: pl.DataFrame) -> pl.DataFrame:
    priced = pl.col("price").is_not_null()
    start = pl.col("bar_start").dt.epoch("us")
    return rows.select(
        "instrument",
        pl.concat_str(_fixed(start), _fixed(pl.col("ver")), _fixed(pl.col("tail"))).alias("key"),
        pl.when(priced).then(encoded(rows, without=KEY)).otherwise(pl.lit("")).alias("content"),
        _told().alias("told"),
    )


def _told() -> pl.Expr:
    """The row of the landed log."""
    name = pl.struct("instrument").struct.json_encode().str.slice(len('{"instrument":')).str.strip_suffix("}")
    start = pl.col("start").dt.epoch("us").cast(pl.String).fill_null("null")
    return pl.format('[{},"",{},{}]', name, start, pl.col("revision").cast(pl.String).fill_null("null"))


def _fixed(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.String).str.zfill(_DIGITS)


def _offer(redis: Redis, tenant: str, rows: pl.DataFrame, bounds: Bounds) -> Written:
    columns = _ENCODER.encode([column.to_list() for column in rows])
    values = packed([each for each in rows["content"] if each])
    arguments = [str(WIDTH), tenant, str(bounds.entries), columns, uuid4().hex, values]
    keys = [register_of(tenant), STREAM, COUNTERS]
    answer = cast("bytes", script(redis, "latest")(keys=keys, args=arguments)).decode()
    return Written(answer.count("2"), answer.count("1"), answer.count("0"))


def register_of(tenant: str) -> str:
    return f"latest:{tenant}"


async def read_latest(redis: AsyncRedis, tenant: str, instruments: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A tenant's latest prices by instrument, each a mapping of the offered columns without the key.

    Instruments without a price are left out.
    """
    if not instruments:
        return {}
    stored = cast("list[bytes | None]", await redis.hmget(register_of(tenant), list(instruments)))
    pairs = zip(instruments, stored, strict=True)
    return {name: _content(blob) for name, blob in pairs if blob and len(blob) > WIDTH}


def _content(blob: bytes) -> dict[str, Any]:
    return msgspec.json.decode(blob[WIDTH:], type=dict[str, Any])
