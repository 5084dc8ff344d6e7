"""The pass: bars of the touched buckets, computed again from what is stored."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import rollup
from db.clickhouse.ticks import insert_frame

INTERVALS: Final = ("10s", "1m", "5m", "15m", "1h", "1d")
KEY_COLUMNS: Final = ("tenant", "instrument", "interval", "start", "end", "grace_s")

_CREATE: Final = """
CREATE TABLE {keys:Identifier} (tenant LowCardinality(String), instrument LowCardinality(String),
    interval LowCardinality(String), start DateTime64(6, 'UTC'), end DateTime64(6, 'UTC'), grace_s UInt32) ENGINE = Memory"""


def recompute(client: Client, finest: pl.DataFrame, coarser: Sequence[pl.DataFrame] = ()) -> None:
    """Compute the bars of these keys again: `finest` from ticks, then `coarser` from the next finer bars.

    Every frame has the columns of `KEY_COLUMNS` (others are ignored), each key once. The coarser keys must cover the finest
    ones at every interval that is kept. Any number of passes may run at once.
    """
    for number, frame in enumerate((finest, *coarser)):
        with key_table(client, frame) as keys:
            for interval in _present(frame):
                level = frame.filter(pl.col("interval") == interval)
                if number == 0:
                    _from_ticks(client, keys, interval, level)
                else:
                    _from_finer(client, keys, interval, level)
