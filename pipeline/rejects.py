"""Refusals as rows: each names the field, what stood there and why it cannot be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

SHOWN: Final = 200  # characters of a refused value that are kept
REASON: Final = 1000  # characters of a reason that are kept

# The shape of a location's name: 1 to 150 printable characters, no blank at its ends.
NAME: Final = r"^[^\x00-\x20\x7f\x{fffd}](?:[^\x00-\x1f\x7f\x{fffd}]{0,148}[^\x00-\x20\x7f\x{fffd}])?$"


@dataclass(frozen=True, slots=True)
class Reject:
    """One refusal: `index` of the message in its batch; `row` 0 and `whole` for the message itself."""

    index: int
    field: str
    value: str
    reason: str
    row: int = 0
    whole: bool = True


def sentence(field: str, value: str, problem: str) -> str:
    """The reason as a person reads it, e.g. "payload.market '9x' is not a market name"."""
    return f"{field} {value[:SHOWN]!r} {problem}" if value else f"{field} {problem}"


def bounded(refused: pl.DataFrame) -> pl.DataFrame:
    """The refusals with `field`, `value` and `reason` cut to what is kept of them, whoever wrote them."""
    shown = pl.col("field", "value").str.slice(0, SHOWN)
    return refused.with_columns(shown, pl.col("reason").str.slice(0, REASON))


def frame(rejects: Sequence[Reject]) -> pl.DataFrame:
    """`index, row, whole, field, value, reason` of single refusals."""
    return pl.DataFrame(
        {
            "index": pl.Series([each.index for each in rejects], dtype=pl.UInt32),
            "row": pl.Series([each.row for each in rejects], dtype=pl.Int32),
            "whole": pl.Series([each.whole for each in rejects], dtype=pl.Boolean),
            "field": pl.Series([each.field for each in rejects], dtype=pl.String),
            "value": pl.Series([each.value for each in rejects], dtype=pl.String),
            "reason": pl.Series([each.reason for each in rejects], dtype=pl.String),
        }
    ).pipe(bounded)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The problem of one column's cells (null: none), beside the cells as they came."""

    field: str
    value: pl.Series
    problem: pl.Series


def no_problem(size: int) -> pl.Series:
    """A column of so many cells without a problem."""
    return pl.Series([None], dtype=pl.String).new_from_index(0, size)


def first_of_each(keys: pl.DataFrame, verdicts: Sequence[Verdict]) -> pl.DataFrame:
    """`keys` with `field, value, reason` of the first verdict against each row; rows without one are left out."""
    told, fine = list[pl.DataFrame](), None
    for verdict in verdicts:
        if verdict.problem.null_count() == keys.height:
            continue
        hit = verdict.problem.is_not_null() if fine is None else verdict.problem.is_not_null() & fine
        fine = ~hit if fine is None else fine & ~hit
        told.append(_told(keys.filter(hit), verdict.field, verdict.value.filter(hit), verdict.problem.filter(hit)))
    text = {name: pl.String() for name in ("field", "value", "reason")}
    return pl.concat(told) if told else pl.DataFrame(schema={**keys.schema, **text})


def _told(keys: pl.DataFrame, field: str, values: pl.Series, problems: pl.Series) -> pl.DataFrame:
    shown = values.cast(pl.String).fill_null("").str.slice(0, SHOWN)
    return (
        keys.with_columns(value=shown, problem=problems, field=pl.lit(field))
        .rechunk()  # polars can panic over columns that are cut differently
        .with_columns(
            reason=pl.when(pl.col("value") == "")
            .then(pl.format("{} {}", "field", "problem"))
            .otherwise(pl.format("{} '{}' {}", "field", "value", "problem"))
        )
        .select(*keys.columns, "field", "value", "reason")
    )
