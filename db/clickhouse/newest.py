"""The latest prices of instruments whose publications were stored a moment ago, before their bars are made.

What a pass (`db.clickhouse.bars`) will offer, under the same key, of the newest of the touched bars, as far as that
follows from its publications alone: a bar with a correction, or without a usable price, is left to the pass.
"""

from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import current, rollup, rollup_ticks
from db.clickhouse.frames import fetch
from db.clickhouse.keys import key_table, with_grace
from db.clickhouse.query import Query, instant
from pipeline.bars import by_end, last_buckets
from pipeline.flags import UNUSABLE
from pipeline.schema import TICKS, Schema

_FEW: Final = 300  # instruments that may stand in the parameters: a table of keys costs more than reading them
_WHO: Final = ("tenant", "instrument")
_IDENTITY: Final = (*_WHO, "ts", "source_rank", "event_id")
_CLOSING: Final = ("start", "source_rank", "event_id", "ts")
_COLUMNS: Final = ("start", "flags")
_STORED: Final[Schema] = {
    **{name: TICKS[name] for name in (*_IDENTITY, *_COLUMNS)}, "weight": pl.UInt64(), "bar_start": TICKS["start"],
}  # fmt: skip
_OF_FEW: Final = f"""
    tenant IN {{tenants:Array(String)}} AND instrument IN {{instruments:Array(String)}}
    AND bucket IN arrayMap(at -> toDateTime(at, 'UTC'), {{buckets:Array(UInt32)}}) AND {rollup_ticks.WITHIN}"""


def newest_prices(client: Client, ticks: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
    """The latest prices among ticks (`pipeline.schema.TICKS`) that are stored, as of all that is: the columns of
    `db.clickhouse.latest.candidates`. `touched`: their buckets (`pipeline.bars.TOUCHED`)."""
    last = last_buckets(touched.filter(~by_end(touched)))
    if last.is_empty():
        return _priced(ticks.clear(), pl.DataFrame(schema=_STORED))
    rows = _of_few(client, last) if last.height <= _FEW else _of_many(client, last)
    bars = last.select(*_WHO, bar_start="start", bar_end="end")
    inside = (pl.col("start") >= pl.col("bar_start")) & (pl.col("start") < pl.col("bar_end"))
    return _priced(ticks, rows.join(bars, on=_WHO).filter(inside).select(*_STORED))


def _of_few(client: Client, last: pl.DataFrame) -> pl.DataFrame:
    """The publications that may lie in these buckets, and some others."""
    given = {
        "tenants": last["tenant"].unique().to_list(), "instruments": last["instrument"].unique().to_list(),
        "buckets": _stored_buckets(last), **_bounds(last),
    }  # fmt: skip
    return fetch(client, Query(current.single(_OF_FEW, _COLUMNS), given))


def _of_many(client: Client, last: pl.DataFrame) -> pl.DataFrame:
    with key_table(client, ticks=with_grace(last)) as keys:
        levels = last.partition_by("interval", maintain_order=True)
        return pl.concat([_level(client, keys, level) for level in levels])


def _level(client: Client, keys: str, level: pl.DataFrame) -> pl.DataFrame:
    interval = str(level["interval"][0])
    given = {"keys": keys, "role": "ticks", "interval": interval, **_bounds(level)}
    return fetch(client, Query(current.single(rollup_ticks.touched(interval), _COLUMNS), given))


def _bounds(last: pl.DataFrame) -> dict[str, object]:
    low, high = last.select(pl.col("start").min(), pl.col("end").max()).row(0)
    return {"low": instant(low), "high": instant(high)}


def _stored_buckets(last: pl.DataFrame) -> list[int]:
    """Where publications of these buckets lie (`ticks.bucket`), in seconds since 1970: a stream's in its bars,
    documents in days, whose stamps may lie beside their interval."""
    stream, beside = pl.col("interval") == rollup.STREAM, pl.duration(seconds=rollup.STAMP_MARGIN_S)
    at = pl.when(stream).then("start").otherwise((pl.col("start") - beside).dt.truncate("1d"))
    until = pl.when(stream).then("start").otherwise((pl.col("end") + beside).dt.truncate("1d"))
    seconds = pl.concat_list(at.dt.epoch("s"), until.dt.epoch("s"))
    return last.select(seconds.explode().unique()).to_series().to_list()


def _priced(ticks: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Of each bar its closing price, where that is among the ticks, unless one of its publications corrects another."""
    plain = stored.filter((pl.len() == pl.struct(_IDENTITY).n_unique()).over(_WHO))
    weighed = plain.with_columns(ver=rollup.RULE_VERSION * rollup.VERSION_UNIT + pl.col("weight").sum().over(_WHO))
    usable = weighed.filter((pl.col("flags") & UNUSABLE) == 0).sort(_CLOSING)
    closing = usable.unique(_WHO, keep="last", maintain_order=True).select(*_IDENTITY, "bar_start", "ver")
    shown, none = [name for name in TICKS if name not in _WHO], pl.lit(0, pl.UInt64)
    found = closing.join(ticks, on=_IDENTITY, maintain_order="left")
    return found.select(*_WHO, "bar_start", "ver", none.alias("tail"), *shown, none.alias("revision"))
