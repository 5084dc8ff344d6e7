"""Rows of the tables of the reference in PostgreSQL, read and written as frames of `pipeline.reference.tables`."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.reference.tables import TENANT, Table

_TYPES: Final[Mapping[type[pl.DataType], str]] = {
    pl.String: "text", pl.Date: "date", pl.Int64: "bigint", pl.Decimal: "numeric", pl.Boolean: "boolean",
}  # fmt: skip


async def rows_of(connection: AsyncConnection, table: Table, tenants: Sequence[str] | None = None) -> pl.DataFrame:
    """The rows of the tenants, or of all, in the order of their keys."""
    names = ", ".join(table.schema)
    which = "" if tenants is None else "WHERE tenant = ANY(CAST(:tenants AS text[]))"
    order = ", ".join((TENANT, *table.key))
    query = text(f"SELECT {names} FROM {table.name} {which} ORDER BY {order}")  # noqa: S608 - names of the registry
    values = {} if tenants is None else {"tenants": list(tenants)}
    rows = (await connection.execute(query, values)).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=dict(table.schema), orient="row")


async def kept_keys(connection: AsyncConnection, table: Table) -> pl.DataFrame:
    """The keys, without their validity, of the rows that are not the program's own, or not as it brought them."""
    keys = {name: table.schema[name] for name in (TENANT, *table.key) if name != "valid_from"}
    names = ", ".join(keys)
    query = text(f"SELECT DISTINCT {names} FROM {table.name} WHERE NOT own")  # noqa: S608 - names of the registry
    rows = (await connection.execute(query)).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=keys, orient="row")


async def lock(connection: AsyncConnection, table: Table) -> None:
    """Keeps other writers out until the transaction ends; readers go on."""
    await connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


async def insert(connection: AsyncConnection, table: Table, rows: pl.DataFrame, *, own: bool) -> None:
    """Adds rows whose keys are not there. `own`: they came with the program."""
    if rows.is_empty():
        return
    names = ", ".join(table.schema)
    statement = f"INSERT INTO {table.name} ({names}, own) SELECT *, :own FROM {_given(rows)}"  # noqa: S608 - see above
    await connection.execute(text(statement), {**_values(rows), "own": own})


async def delete(connection: AsyncConnection, table: Table, rows: pl.DataFrame) -> None:
    """Removes the rows of these keys."""
    if rows.is_empty():
        return
    keys = rows.select(TENANT, *table.key)
    await connection.execute(_delete(table, keys), _values(keys))


def _delete(table: Table, keys: pl.DataFrame) -> TextClause:
    same = " AND ".join(f"held.{name} IS NOT DISTINCT FROM given.{name}" for name in keys.columns)
    return text(f"DELETE FROM {table.name} AS held USING {_given(keys)} WHERE {same}")  # noqa: S608 - see above


def _given(rows: pl.DataFrame) -> str:
    arrays = ", ".join(f"CAST(:{name} AS {_TYPES[type(dtype)]}[])" for name, dtype in rows.schema.items())
    return f"unnest({arrays}) AS given({', '.join(rows.columns)})"


def _values(rows: pl.DataFrame) -> dict[str, list[object]]:
    return {column.name: column.to_list() for column in rows}
