"""Frames in and out of ClickHouse."""

from collections.abc import Iterator

import polars as pl
import pyarrow as pa
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from polars import selectors

from db.clickhouse.query import Query
from db.clickhouse.reader import named
from pipeline.arrow import to_stream


def fetch(client: Client, query: Query) -> pl.DataFrame:
    """The rows of a query as a frame."""
    return query.finished(to_frame(client.query_arrow(query.sql, parameters=dict(query.parameters))))


async def fetch_async(client: AsyncClient, query: Query) -> pl.DataFrame:
    """The rows of a query as a frame; a client of the user for reads names the query's tenants (`reader`)."""
    names = named(client, query)
    found = await client.query_arrow(query.sql, parameters=dict(query.parameters), settings=names)
    return query.finished(to_frame(found))


async def fetch_batches(client: AsyncClient, query: Query) -> Iterator[pl.DataFrame]:
    """The rows of a large answer, as many at a time as the engine has put together: each is unpacked when it is asked
    for. What the server could not finish is an error, for it sends nothing before it has finished."""
    settings = {"output_format_arrow_string_as_string": "1", "wait_end_of_query": "1", **(named(client, query) or {})}
    raw = await client.raw_query(query.sql, dict(query.parameters), settings, fmt="ArrowStream")
    batches = pa.ipc.open_stream(raw)
    return (query.finished(to_frame(pa.Table.from_batches([batch]))) for batch in batches)


def to_frame(table: pa.Table) -> pl.DataFrame:
    """A frame of an Arrow answer, also where it has no rows."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    # The asynchronous client drops the zone; every instant of ours is UTC.
    return frame.with_columns(selectors.datetime(time_zone=None).dt.replace_time_zone("UTC"))


def insert_frame(client: Client, table: str, frame: pl.DataFrame) -> None:
    """Store a frame under its column names."""
    client.raw_insert(table, frame.columns, to_stream(frame), fmt="ArrowStream")
