"""What follows from cells that repeat, as stamps do, worked out once for those that are equal."""

from collections.abc import Callable
from typing import Final

import polars as pl

_FEW: Final = 100  # runs or cells that are worked out whether they are distinct or not
_PART: Final = 4


def spread(cells: pl.DataFrame, work: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """`work` of `cells`, each of whose rows must follow from the same row of `cells` alone."""
    if cells.is_empty():
        return work(cells)
    run = cells.select(_run(cells.width)).to_series()
    count = int(run[-1]) + 1
    if count > max(_FEW, cells.height // _PART):
        return _joined(cells, work)
    return work(cells.head(1) if count == 1 else cells[_first(run, count)])[run]


def looked_up(column: pl.Series, made: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Each cell as `made` has it, which is asked for the distinct ones where these are much fewer. They need not follow
    each other."""
    if column.len() <= _FEW or 2 * column.n_unique() > column.len():
        return made(column)
    distinct = column.unique()
    return column.replace_strict(distinct, made(distinct))


def _first(run: pl.Series, count: int) -> pl.Series:
    """Where each run begins."""
    return run.search_sorted(pl.int_range(count, dtype=pl.UInt32, eager=True))


def _run(width: int) -> pl.Expr:
    """The number of each run, from 0 on: the numbers of the columns' own runs grow where one of them changes."""
    own = pl.all().rle_id()
    return own if width == 1 else pl.sum_horizontal(own).rle_id()


def _joined(cells: pl.DataFrame, work: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    distinct = cells.unique(maintain_order=True)
    read = distinct.hstack(work(distinct))
    found = cells.join(read, on=cells.columns, how="left", nulls_equal=True, maintain_order="left")
    return found.drop(cells.columns)
