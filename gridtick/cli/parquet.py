"""Rows as Parquet: the types follow from the row type, so that nulls and no rows change nothing."""

import io
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import polars as pl

from gridtick.cli.columns import RowType, columns_of
from gridtick.cli.curve import Point
from gridtick.cli.output import json_text
from gridtick.client import Bar, LatestPrice

_DTYPES: Final[Mapping[type, pl.DataType]] = {
    str: pl.String(), int: pl.Int64(), bool: pl.Boolean(), Decimal: pl.Decimal(18, 9), list: pl.List(pl.String),
}  # fmt: skip
# A sum of volumes, and an age of decades in seconds, have more digits than a price; points of curves have 12 decimals.
_WIDE: Final[Mapping[tuple[RowType, str], pl.DataType]] = {
    (Bar, "volume"): pl.Decimal(38, 9),
    (LatestPrice, "age_seconds"): pl.Decimal(38, 9),
    **{(Point, name): pl.Decimal(38, 12) for name in ("price", "against", "change")},
}
_INSTANT: Final = pl.Datetime("us", "UTC")
_INSTANTS: Final = frozenset(
    {"interval_start", "interval_end", "known_at", "start", "end", "updated_at", "first_seen", "last_seen"}
)


def packed(rows: Iterable[Mapping[str, Any]], kind: RowType, also: Collection[str] = ()) -> bytes:
    """The Parquet file; instants are instants there."""
    schema = schema_of(kind, also)
    told = {name: pl.String() if name in _INSTANTS else dtype for name, dtype in schema.items()}
    frame = pl.DataFrame([_flat(row) for row in rows], schema=told, orient="row")
    texts = pl.col([name for name in schema if name in _INSTANTS])
    instants = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
    file = io.BytesIO()
    frame.with_columns(instants).write_parquet(file)
    return file.getvalue()


def schema_of(kind: RowType, also: Collection[str] = ()) -> dict[str, pl.DataType]:
    """The columns of a row type in a file, and what they hold."""
    return {name: _dtype(kind, name, held) for name, held in columns_of(kind, also).items()}


def _dtype(kind: RowType, name: str, held: type) -> pl.DataType:
    return _INSTANT if name in _INSTANTS else _WIDE.get((kind, name)) or _DTYPES[held]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """With the objects of lists as their JSON."""
    return {name: [_text(each) for each in value] if isinstance(value, list) else value for name, value in row.items()}


def _text(value: object) -> object:
    return json_text(value) if isinstance(value, Mapping) else value
