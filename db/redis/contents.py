"""Rows as JSON texts, as they are kept in Redis: decimals are text with all their digits, instants microseconds since
1970."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import polars as pl

from pipeline.schema import Schema

_PLAIN: Final[Mapping[type[pl.DataType], pl.DataType]] = {pl.Decimal: pl.String(), pl.Datetime: pl.Int64()}


def encoded(rows: pl.DataFrame, without: Collection[str] = ()) -> pl.Expr:
    """Each row of the frame as a JSON object, without some of its columns."""
    columns = [_plain(name, dtype) for name, dtype in rows.schema.items() if name not in without]
    return pl.struct(columns).struct.json_encode()


def decoded(rows: Iterable[Mapping[str, Any]], schema: Schema) -> pl.DataFrame:
    """The frame of rows that were encoded; what one lacks is null."""
    plain = {name: _PLAIN.get(type(dtype), dtype) for name, dtype in schema.items()}
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=plain)
    return frame.with_columns(pl.col(name).cast(dtype) for name, dtype in schema.items() if type(dtype) in _PLAIN)


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return pl.col(name).dt.epoch("us")
    return pl.col(name).cast(pl.String) if dtype.is_decimal() else pl.col(name)
