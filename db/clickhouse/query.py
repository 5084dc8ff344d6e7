"""Statements and their parameters: values never stand in the text."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple


class Query(NamedTuple):
    """A statement and the values of its `{name:Type}` parameters."""

    sql: str
    parameters: Mapping[str, object]


def instant(value: datetime) -> str:
    """An instant as a parameter of type `DateTime64(6, 'UTC')`, with all its digits."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
