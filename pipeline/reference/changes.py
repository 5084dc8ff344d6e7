"""What a file changes in a table."""

from typing import NamedTuple

import polars as pl

from pipeline.reference.tables import TENANT, Table


class Changes(NamedTuple):
    """Rows of a table. `before` and `after` are of the same keys, in the same order."""

    table: Table
    added: pl.DataFrame
    before: pl.DataFrame
    after: pl.DataFrame
    removed: pl.DataFrame

    @property
    def number(self) -> int:
        return self.added.height + self.after.height + self.removed.height


def changes(table: Table, there: pl.DataFrame, given: pl.DataFrame, *, replace: bool) -> Changes:
    """From the rows that are there to those of a file: rows that it does not hold stay, or go with `replace`."""
    keys = [TENANT, *table.key]
    added = given.join(there, on=keys, how="anti", nulls_equal=True)
    other = given.join(there, on=there.columns, how="anti", nulls_equal=True)
    after = other.join(there, on=keys, how="semi", nulls_equal=True)
    before = after.select(keys).join(there, on=keys, how="left", nulls_equal=True, maintain_order="left")
    removed = there.join(given, on=keys, how="anti", nulls_equal=True) if replace else there.clear()
    return Changes(table, added, before.select(there.columns), after, removed)


def applied(there: pl.DataFrame, found: Changes) -> pl.DataFrame:
    """The rows as they are after the changes."""
    gone = pl.concat([found.before, found.removed])
    kept = there.join(gone, on=[TENANT, *found.table.key], how="anti", nulls_equal=True)
    return pl.concat([kept, found.added, found.after])
