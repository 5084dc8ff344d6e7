"""Publications into the store."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.frames import insert_frame
from pipeline.schema import TICKS

# Of two rows of one publication the one of the later parser stands. Raise it when a parser reads a message otherwise.
PARSER_VERSION: Final = 3
_MANY: Final = 100_000  # rows: the server sorts and packs an insert in one thread, and two halves in a third less time


def insert_ticks(client: Client, ticks: pl.DataFrame, parser_version: int = PARSER_VERSION) -> int:
    """Store publications (`pipeline.schema.TICKS`); they are on disk when this returns. Returns their number.

    The same publication may come any number of times.
    """
    if ticks.is_empty():
        return 0
    # A column of nulls need not travel: null is what the table puts there.
    columns = [name for name in TICKS if ticks[name].null_count() < ticks.height]
    frame = ticks.select(*columns, pl.lit(parser_version, pl.UInt16).alias("parser_version"))
    at_once = -(-frame.height // 2) if frame.height > _MANY else frame.height
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(insert_frame, client, "ticks"), frame.iter_slices(at_once)))
    return ticks.height
