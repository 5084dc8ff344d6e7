"""How far what is stored has got: numbers that every insert and every deletion changes, and that cost a fraction of
what reading costs."""

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from db.clickhouse.query import Query, instant
from pipeline.schema import Schema

STAND: Final[Schema] = {"partition_id": pl.String(), "block": pl.Int64(), "mutation": pl.Int64()}
_SECOND: Final = timedelta(seconds=1)
_BARS: Final = """
    SELECT partition_id, max(max_block_number) AS block,
        max(if(data_version > max_block_number, data_version, 0)) AS mutation
    FROM system.parts
    WHERE database = currentDatabase() AND table = 'bars' AND active
        AND min_time < {high:DateTime64(6, 'UTC')} AND max_time >= {low:DateTime64(6, 'UTC')}
    GROUP BY partition_id ORDER BY partition_id"""


def bars(start: datetime, end: datetime) -> Query:
    """`STAND` of the bars that begin in [start, end): while it is the same, none of them was added, replaced, removed.

    Every insert makes a part with a higher block number, which a merge keeps; it tells the instants of its rows to the
    second. A merge with other parts than those of the range may change it for nothing.
    """
    return Query(_BARS, {"low": instant(start - _SECOND), "high": instant(end + _SECOND)})
