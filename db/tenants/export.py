"""All that a tenant has in PostgreSQL, row by row, and its ticks as Parquet; in constant memory."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import msgspec
import pyarrow.parquet as pq
from clickhouse_connect.driver.client import Client
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.clickhouse.frames import fetch
from db.clickhouse.query import Query
from db.postgres import keys, tenants
from db.postgres.walls import reading
from pipeline.reference.tables import TABLES
from pipeline.schema import REFERENCE, TICKS

_AT_ONCE: Final = 1_000  # rows in memory
_NAMES: Final = ("tenant", "instrument", "name", "since")
_USAGE: Final = ("tenant", "day", "key_id", "requests", "rows")
_AUDIT: Final = ("seq", "at", "actor", "actor_tenant", "action", "target", "outcome", "request_id", "detail")
_INSTRUMENTS: Final = tuple(name for name in REFERENCE if name != "name")
KINDS: Final = {
    "tenants": (tenants.FIELDS, "id"),
    "api_keys": (keys.FIELDS, "created_at, id"),
    "instruments": (_INSTRUMENTS, "instrument"),
    "instrument_names": (_NAMES, "instrument, since"),
    **{name: (tuple(each.schema), ", ".join(each.key)) for name, each in TABLES.items()},
    "usage": (_USAGE, "day, key_id"),
    "audit": (_AUDIT, "seq"),
}
"""Of each kind of rows, named as its table: the columns and their order."""
_TICKS: Final = f"""
    SELECT {", ".join(f"`{name}`" for name in TICKS)} FROM ticks FINAL
    WHERE tenant = {{tenant:String}} AND toYYYYMM(ts) = {{month:UInt32}}"""  # noqa: S608 - names of the schema


class Row(NamedTuple):
    """`values` are plain JSON; decimals are texts."""

    kind: str
    values: dict[str, Any]


async def rows(engine: AsyncEngine, tenant: str) -> AsyncGenerator[Row]:
    """Its rows, a kind after the other in the order of `KINDS`; no digest of a key is among them."""
    async with reading(engine, [tenant]) as connection:
        for kind in KINDS:
            found = await connection.stream(
                _select(kind), {"tenant": tenant}, execution_options={"yield_per": _AT_ONCE}
            )
            async for row in found.mappings():
                yield Row(kind, msgspec.to_builtins(dict(row)))


def months(client: Client, tenant: str) -> list[int]:
    """The months of its ticks' instants, as 202607."""
    sql = "SELECT DISTINCT toYYYYMM(ts) AS month FROM ticks WHERE tenant = {tenant:String} ORDER BY month"
    return fetch(client, Query(sql, {"tenant": tenant}))["month"].to_list()


def write_month(client: Client, tenant: str, month: int, path: Path) -> int:
    """Every publication of a month (`pipeline.schema.TICKS`) as a Parquet file, which is there whole or not at all;
    their number."""
    part = path.with_name(f"{path.name}.part")
    found = cast("BinaryIO", client.raw_stream(_TICKS, {"tenant": tenant, "month": month}, fmt="Parquet"))
    with closing(found), part.open("wb") as file:
        shutil.copyfileobj(found, file)
    number = pq.read_metadata(part).num_rows  # refuses a file without its end
    part.replace(path)
    return number


def _select(kind: str) -> TextClause:
    columns, order = KINDS[kind]
    whose = "id" if kind == "tenants" else "tenant"
    return text(f"SELECT {', '.join(columns)} FROM {kind} WHERE {whose} = :tenant ORDER BY {order}")  # noqa: S608
