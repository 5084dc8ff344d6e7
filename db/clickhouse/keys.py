"""The tables of one pass: its keys (16,600 names in an IN list exceed the longest query), and bars before they are
stored.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import uuid4

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.frames import fetch, insert_frame
from db.clickhouse.query import Query
from pipeline import products

_TYPES: Final = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "interval": pl.String(),
    "start": pl.Datetime("us", "UTC"),
    "end": pl.Datetime("us", "UTC"),
    "grace_s": pl.UInt32(),
}
_CREATE: Final = """
CREATE TABLE {keys:Identifier} (tenant LowCardinality(String), instrument LowCardinality(String),
    interval LowCardinality(String), start DateTime64(6, 'UTC'), end DateTime64(6, 'UTC'), grace_s UInt32,
    role LowCardinality(String)) ENGINE = Memory"""
_ABANDONED: Final = """
SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'pass_')
    AND metadata_modification_time < now() - toIntervalSecond({older_s:Int32})"""


@contextmanager
def key_table(client: Client, **roles: pl.DataFrame) -> Generator[str]:
    """A table that lives as long as the block, holding each frame's distinct keys under the name of its role."""
    name = f"pass_{uuid4().hex}"
    client.command(_CREATE, parameters={"keys": name})
    try:
        for role, frame in roles.items():
            add_keys(client, name, frame, role)
        yield name
    finally:
        client.command("DROP TABLE IF EXISTS {keys:Identifier}", parameters={"keys": name})


@contextmanager
def made_table(client: Client) -> Generator[str]:
    """A table of bars in memory that lives as long as the block."""
    name = f"pass_{uuid4().hex}"
    client.command("CREATE TABLE {made:Identifier} AS bars ENGINE = Memory", parameters={"made": name})
    try:
        yield name
    finally:
        client.command("DROP TABLE IF EXISTS {made:Identifier}", parameters={"made": name})


def add_keys(client: Client, keys: str, frame: pl.DataFrame, role: str | pl.Expr) -> None:
    """Add a frame's distinct keys to the table under the name of a role, or each under its own."""
    insert_frame(client, keys, _keys(frame, role))


def drop_abandoned(client: Client, older_s: int = 3600) -> int:
    """Drop the key tables of passes that died more than `older_s` seconds ago; returns their number."""
    names = fetch(client, Query(_ABANDONED, {"older_s": older_s}))["name"].to_list()
    for name in names:
        client.command("DROP TABLE IF EXISTS {keys:Identifier}", parameters={"keys": name})
    return len(names)


def with_grace(frame: pl.DataFrame) -> pl.DataFrame:
    """The keys (with market and product) and their products' `grace_s`."""
    pairs = frame.select("market", "product").unique()
    grace = [products.product(*pair).grace // timedelta(seconds=1) for pair in pairs.iter_rows()]
    return frame.join(pairs.with_columns(pl.Series("grace_s", grace, dtype=pl.UInt32)), on=["market", "product"])


def _keys(frame: pl.DataFrame, role: str | pl.Expr) -> pl.DataFrame:
    columns = [pl.col(name).cast(dtype) for name, dtype in _TYPES.items()]
    return frame.select(*columns, (pl.lit(role) if isinstance(role, str) else role).alias("role")).unique()
