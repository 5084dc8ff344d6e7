"""Rows of the reference as CSV, in the one way in which they are written."""

import polars as pl

from pipeline.reference.tables import TENANT, Table


def to_csv(table: Table, rows: pl.DataFrame) -> bytes:
    """The rows in order of their key, dates as 2026-07-01, amounts without zeros that say nothing.

    The column `tenant` is there where the rows are of several.
    """
    ordered = rows.sort(TENANT, *table.key)
    shown = ordered if rows[TENANT].n_unique() > 1 else ordered.drop(TENANT)
    return (
        shown.with_columns(_amount(name) for name, dtype in shown.schema.items() if dtype.is_decimal())
        .write_csv()
        .encode()
    )


def _amount(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
