"""The latest price of an instrument: the closing tick of its newest bar, under a key that only grows.

The key is (bar_start, ver, tail) of the newest bar. Where that bar is a tombstone (prices that are only advisory yet),
the content is the newest usable price before it, which may change while the tombstone does not: `tail` then sums
up what was seen of all days of the instrument, else it is 0. Of two contents the one with the greater key is the later.

Frames of latest prices have `bar_start`, `ver`, `tail` (the key), the columns of `pipeline.schema.TICKS` of the closing
tick, and its `revision`. Where an instrument has bars but no usable price, every column of the tick but tenant and
instrument is null: whatever was the latest price is none any more.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import current
from db.clickhouse.frames import fetch
from db.clickhouse.keys import add_keys, key_table
from db.clickhouse.query import Query
from db.clickhouse.rollup import FINER, FINER_PERIODS, OF_ROLE, PERIODS, SECONDS, VERSION_UNIT, by_interval, floor
from pipeline.flags import UNUSABLE
from pipeline.schema import TICKS

_IDENTITY: Final = ("tenant", "instrument", "ts", "source_rank", "event_id")
SHOWN: Final = tuple(f"`{name}`" for name in TICKS if name not in _IDENTITY)

_WHO: Final = ("tenant", "instrument")
_PERIOD: Final = floor("at", by_interval("`interval`", PERIODS))

_BAR: Final = "tenant, instrument, `interval`, start, `end`, ver, count, last_ts"


def _stored(which: str) -> str:
    """The stored bars of a table of tenant, instrument, interval and `at`."""
    return f"""
        SELECT {_BAR} FROM bars FINAL
        WHERE (tenant, `interval`, period, instrument) IN (SELECT tenant, `interval`, {_PERIOD}, instrument {which})
            AND (tenant, instrument, `interval`, start) IN (SELECT tenant, instrument, `interval`, at {which})"""


def _newest(bars: str) -> str:
    """The newest of these bars of every instrument, or a newer one that was a tombstone once."""
    return f"""
    WITH dead AS MATERIALIZED (
        SELECT tenant, instrument, `interval`, start AS at FROM tombstones
        WHERE start >= (SELECT min(start) {OF_ROLE})
            AND (tenant, instrument, `interval`) IN (SELECT tenant, instrument, `interval` {OF_ROLE}))
    SELECT tenant, instrument, `interval`, newest.1 AS bar_start, newest.2 AS bar_end, newest.3 AS ver,
        newest.4 AS count, newest.5 AS last_ts
    FROM (
        SELECT tenant, instrument, `interval`, argMax((start, `end`, ver, count, last_ts), (start, ver)) AS newest
        FROM ({bars} UNION ALL {_stored("FROM dead")}) GROUP BY tenant, instrument, `interval`)"""


# Of a run the last bar; a hash instead of the tuple, which costs more, and lets none pass that would harm.
_LAST: Final = f"`end` - toIntervalSecond({by_interval('`interval`', SECONDS)})"
_NEWEST_MADE: Final = _newest(f"""
        SELECT {_BAR} FROM (SELECT * FROM {{made:Identifier}} WHERE start >= (SELECT min({_LAST}) {OF_ROLE}))
        WHERE cityHash64(instrument, start, `interval`, tenant) IN (
            SELECT cityHash64(instrument, {_LAST}, `interval`, tenant) {OF_ROLE})""")
_NEWEST_STORED: Final = _newest(_stored(f"FROM (SELECT *, start AS at {OF_ROLE})"))

# Of all days of an instrument: the closing tick of the newest that has one, and how many publications there are.
_DAYS: Final = f"""
    SELECT tenant, instrument, sum(bitAnd(ver, {VERSION_UNIT - 1})) AS tail, sum(count) AS prices,
        argMaxIf(last_ts, start, count > 0) AS closing_ts
    FROM bars FINAL
    WHERE `interval` = '1d' AND (tenant, instrument) IN (SELECT tenant, instrument {OF_ROLE})
    GROUP BY tenant, instrument"""

_AT_CLOSE: Final = f"""
    ts >= (SELECT min(start) {OF_ROLE}) AND ts <= (SELECT max(start) {OF_ROLE})
    AND (tenant, bucket, instrument, ts) IN (
        SELECT tenant, arrayJoin([{floor("start", "10")}, {floor("start", "86400")}]), instrument, start {OF_ROLE})"""

# The newest bar of one interval inside the bars of the keys, the newest of the next coarser interval.
_WITHIN: Final = f"""
    SELECT tenant, instrument, `interval`, max(start) AS start, argMax(`end`, bars.start) AS `end`
    FROM bars WHERE `interval` = {{interval:String}} AND (tenant, `interval`, period, instrument) IN (
        SELECT tenant, {{interval:String}}, {FINER_PERIODS}, instrument {OF_ROLE})
    GROUP BY tenant, instrument, `interval`"""
_NEWEST_DAYS: Final = """
    SELECT tenant, instrument, `interval`, max(start) AS start, argMax(`end`, bars.start) AS `end`
    FROM bars WHERE `interval` = '1d' GROUP BY tenant, instrument, `interval`"""


def newest_bars(client: Client, keys: str, made: str) -> pl.DataFrame:
    """The newest finest bar of every instrument among the keys of role `ticks`, whose bars are all in the table `made`;
    `count` 0: a tombstone, whose candidate follows from the days' bars."""
    return _fetch(client, _NEWEST_MADE, keys, "ticks", made=made)


def candidates(client: Client, keys: str, newest: pl.DataFrame) -> pl.DataFrame:
    """The latest price of every instrument, given its newest bar (`newest_bars`)."""
    closing = pl.concat([_alive(newest), _dead(client, keys, newest)])
    ticks = closing.join(_closing_ticks(client, keys, closing), on=_WHO, how="left", nulls_equal=True)
    # A closing tick that is gone became unusable after the bars were read: the pass that is on its way says what is.
    return ticks.filter(pl.col("closing_ts").is_null() | pl.col("price").is_not_null()).drop("closing_ts")


def latest_all(client: Client) -> pl.DataFrame:
    """The latest price of every instrument that has a bar: what Redis is built again from."""
    newest = _bare(fetch(client, Query(_NEWEST_DAYS, {})))
    found = [newest]
    with key_table(client) as keys:
        for interval in reversed(FINER.values()):
            add_keys(client, keys, newest, interval)
            given = {"interval": interval, "width": PERIODS[interval]}
            newest = _bare(_fetch(client, _WITHIN, keys, interval, **given))
            found.append(newest)
        finest = pl.concat(found).unique(_WHO, keep="last", maintain_order=True)
        add_keys(client, keys, finest, "ticks")
        return candidates(client, keys, _fetch(client, _NEWEST_STORED, keys, "ticks"))


def _bare(bars: pl.DataFrame) -> pl.DataFrame:
    return bars.with_columns(grace_s=pl.lit(0, pl.UInt32))


def _fetch(client: Client, sql: str, keys: str, role: str, **more: object) -> pl.DataFrame:
    return fetch(client, Query(sql, {"keys": keys, "role": role, **more}))


def _alive(newest: pl.DataFrame) -> pl.DataFrame:
    return newest.filter(pl.col("count") > 0).select(
        *_WHO, "bar_start", "ver", tail=pl.lit(0, pl.UInt64), closing_ts="last_ts"
    )


def _dead(client: Client, keys: str, newest: pl.DataFrame) -> pl.DataFrame:
    """Tombstones, with the closing tick of the newest day that has one."""
    dead = newest.filter(pl.col("count") == 0)
    if dead.is_empty():
        return _alive(dead)
    add_keys(client, keys, _bare(dead.rename({"bar_start": "start", "bar_end": "end"})), "dead")
    days = _fetch(client, _DAYS, keys, "dead")
    closing = pl.when(pl.col("prices") > 0).then("closing_ts")
    return dead.join(days, on=_WHO).select(*_WHO, "bar_start", "ver", "tail", closing_ts=closing)


def _closing_ticks(client: Client, keys: str, closing: pl.DataFrame) -> pl.DataFrame:
    """The usable price that closes each instrument's bar: `TICKS` and `revision`."""
    at = closing.drop_nulls("closing_ts").with_columns(interval=pl.lit(""), start="closing_ts", end="closing_ts")
    add_keys(client, keys, _bare(at), "closing")
    ticks = _fetch(client, _ticks(current.single(_AT_CLOSE, SHOWN)), keys, "closing")
    several = ticks.filter(pl.len().over(_WHO) > 1)
    if several.is_empty():
        return ticks
    add_keys(client, keys, _bare(at.join(several, on=_WHO, how="semi")), "several")
    replayed = _fetch(client, _ticks(current.replayed(_AT_CLOSE, SHOWN)), keys, "several", unusable=UNUSABLE)
    usable = replayed.filter((pl.col("flags") & UNUSABLE) == 0).sort("start", "source_rank", "event_id", "ts")
    last = usable.unique(_WHO, keep="last", maintain_order=True)
    return pl.concat([ticks.join(several, on=_WHO, how="anti"), last])


def _ticks(identities: str) -> str:
    columns = ", ".join(f"`{name}`" for name in TICKS)
    return f"SELECT {columns}, corrections AS revision FROM ({identities})"
