"""What is wrong with the rows of a document: all checks are asked at once, and rows looked at only where one fails."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.documents import NO_REFUSALS, REFUSED_ROWS
from pipeline.rejects import Verdict, first_of_each


@dataclass(frozen=True, slots=True)
class Check:
    """The problem of the column `cell` in rows where `bad` (null: it is not), which looks at one row at a time.

    `field`: what the document calls the column; `problem`: text.
    """

    field: str
    cell: str
    bad: pl.Expr
    problem: pl.Expr


def unless(field: str, cell: str, shape: str, problem: str) -> Check:
    """The cell does not have the shape; an absent one is blank."""
    return Check(field, cell, ~pl.col(cell).fill_null("").str.contains(shape), pl.lit(problem))


def told(field: str, cell: str, column: str) -> Check:
    """What stands in a column of problems."""
    return Check(field, cell, pl.col(column).is_not_null(), pl.col(column))


def parted(rows: pl.DataFrame, checks: Sequence[Check]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(the rows that pass all checks, REFUSED_ROWS: the first problem of each other one). Needs `row`."""
    failed = rows.select(check.bad.any().alias(f"{place}") for place, check in enumerate(checks)).row(0)
    if not any(failed):
        return rows, NO_REFUSALS
    left = [check for check, fails in zip(checks, failed, strict=True) if fails]
    hit = rows.select(pl.any_horizontal(check.bad for check in left).fill_null(value=False)).to_series()
    return rows.filter(~hit), _refused(rows.filter(hit), left)


def _refused(rows: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    found = rows.select(pl.when(check.bad).then(check.problem).alias(f"{at}") for at, check in enumerate(checks))
    verdicts = [
        Verdict(check.field, rows[check.cell], problem)
        for check, problem in zip(checks, found.iter_columns(), strict=True)
    ]
    return first_of_each(rows.select("row"), verdicts).select(list(REFUSED_ROWS))
