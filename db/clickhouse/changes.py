"""Which bars have changed since others were told of them, and what they hold now.

The table `told` keeps of each bar the state that was told last. A pass that died before its bars were told leaves them
untold: whoever computes them again finds the difference.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.frames import fetch, insert_frame
from db.clickhouse.keys import key_table
from db.clickhouse.query import Query
from db.clickhouse.rollup import STREAM, VERSION_UNIT
from db.clickhouse.shown import REVISION, finished, shown_bars
from pipeline.schema import INSTANT, Schema

_BAR: Final = ("tenant", "instrument", "interval", "start")
# Of the bars that users see. `state`: a hash of all that is shown of the bar; one that is only computed again keeps it.
STATE: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "interval": pl.String(),
    "start": INSTANT,
    "period": pl.Datetime("us", "UTC"),
    "revision": pl.UInt64(),
    "ver": pl.UInt64(),
    "state": pl.UInt64(),
}

# The columns of a bar that `db.clickhouse.shown` reads, null being a value too.
_SHOWN: Final = """open, high, low, close, volume IS NULL, ifNull(volume, toDecimal128(0, 9)), pv, count, flags,
    integral_head, covered_head_us, last_start, last_hold_us, revision, updated_at"""
_STATE: Final = f"toDateTime64(period, 6, 'UTC') AS period, cityHash64(intDiv(ver, {VERSION_UNIT}), {_SHOWN}) AS state"
_STATES: Final = f"""
    SELECT tenant, instrument, `interval`, start, {REVISION} AS revision, ver, {_STATE}
    FROM {{made:Identifier}} WHERE `interval` != {{stream:String}}"""
_KEYS: Final = "FROM {keys:Identifier}"
# Small sets for the primary key, and a hash of the four instead of the tuple, which costs more; whatever else they let
# pass is dropped in the end.
_OF_KEYS: Final = f"""
    tenant IN (SELECT tenant {_KEYS}) AND `interval` IN (SELECT `interval` {_KEYS})
    AND period IN (SELECT toDateTime(`end`, 'UTC') {_KEYS}) AND instrument IN (SELECT instrument {_KEYS})
    AND cityHash64(instrument, start, `interval`, tenant) IN (
        SELECT cityHash64(instrument, start, `interval`, tenant) {_KEYS})"""
_TOLD: Final = f"""
    SELECT tenant, instrument, `interval`, start, max(told.ver) AS told_ver, argMax(told.state, told.ver) AS told_state
    FROM told WHERE {_OF_KEYS} GROUP BY tenant, instrument, `interval`, start"""


def states(client: Client, made: str) -> pl.DataFrame:
    """STATE of the bars in the table `made`."""
    found = fetch(client, Query(_STATES, {"made": made, "stream": STREAM}))
    return found.select(pl.col(name).cast(dtype) for name, dtype in STATE.items())


def untold(client: Client, now: pl.DataFrame) -> pl.DataFrame:
    """The bars of those of `now` (STATE) whose state was not told, as they are now, newer ones than theirs included:
    the columns of `db.clickhouse.shown.finished` and of STATE. What a newer pass has told meanwhile is not told again.
    """
    with key_table(client, bars=_keys(now)) as table, ThreadPoolExecutor(1) as beside:
        bars = beside.submit(_contents, client, table)
        told = fetch(client, Query(_TOLD, {"keys": table}))
        known = (pl.col("told_ver") > pl.col("ver")) | (pl.col("told_state") == pl.col("state"))
        found = now.join(told, on=_BAR, how="left").filter(~known.fill_null(value=False))
        return bars.result().join(found, on=_BAR, how="semi", maintain_order="left")


def mark_told(client: Client, told: pl.DataFrame) -> None:
    """Remembers that these (STATE) were told."""
    if not told.is_empty():
        insert_frame(client, "told", told.select(name for name in STATE if name != "revision"))


def _contents(client: Client, table: str) -> pl.DataFrame:
    return fetch(client, Query(shown_bars(_OF_KEYS, also=f", {_STATE}"), {"keys": table}, finished))


def _keys(which: pl.DataFrame) -> pl.DataFrame:
    """As keys, whose end holds the period."""
    return which.select(*_BAR, end="period", grace_s=pl.lit(0, pl.UInt32))
