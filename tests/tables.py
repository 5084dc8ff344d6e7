"""Reference tables for tests."""

import polars as pl

from pipeline.reference.tables import TABLES
from pipeline.schema import empty


def empty_tables() -> dict[str, pl.DataFrame]:
    """Every table, without rows."""
    return {name: empty(table.schema) for name, table in TABLES.items()}
