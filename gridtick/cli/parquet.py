"""Rows as Parquet: the types follow from the row type, so that nulls and no rows change nothing."""

import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import polars as pl

from gridtick.cli.columns import RowType, columns_of
from gridtick.client import Bar, LatestPrice

_DTYPES: Final[Mapping[type, pl.DataType]] = {
    str: pl.String(), int: pl.Int64(), bool: pl.Boolean(), Decimal: pl.Decimal(18, 9), list: pl.List(pl.String),
}  # fmt: skip
# A sum of volumes, and an age of decades in seconds, have more digits than a price.
_WIDE: Final = frozenset({(Bar, "volume"), (LatestPrice, "age_seconds")})
_INSTANTS: Final = frozenset(
    {"interval_start", "interval_end", "known_at", "start", "end", "updated_at", "first_seen", "last_seen"}
)


def packed(rows: Iterable[Mapping[str, Any]], kind: RowType) -> bytes:
    """The Parquet file; instants are instants there."""
    schema = {name: _dtype(kind, name, held) for name, held in columns_of(kind).items()}
    frame = pl.DataFrame(list(rows), schema=schema, orient="row")
    texts = pl.col(*(name for name in schema if name in _INSTANTS))
    instants = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
    file = io.BytesIO()
    frame.with_columns(instants).write_parquet(file)
    return file.getvalue()


def _dtype(kind: RowType, name: str, held: type) -> pl.DataType:
    return pl.Decimal(38, 9) if (kind, name) in _WIDE else _DTYPES[held]
