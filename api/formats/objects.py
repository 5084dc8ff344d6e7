"""Objects that hold others, as rows of plain values."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from pipeline.schema import Schema


def table(objects: Sequence[Mapping[str, Any]], schema: Schema) -> pl.DataFrame:
    """The members that the schema names: what is no plain value as JSON, days as text, seconds exactly."""
    rows = [{name: _plain(each[name], dtype) for name, dtype in schema.items()} for each in objects]
    return pl.DataFrame(rows, schema=dict(schema), orient="row")


def _plain(value: Any, dtype: pl.DataType) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    if value is None or dtype != pl.String or isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, date) else msgspec.json.encode(value).decode()
