"""Statements and their parameters: values never stand in the text."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl


class Query(NamedTuple):
    """A statement, the values of its `{name:Type}` parameters, and what makes of its rows those that are meant."""

    sql: str
    parameters: Mapping[str, object]
    finished: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows


def instant(value: datetime) -> str:
    """An instant as a parameter of type `DateTime64(6, 'UTC')`, with all its digits."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
