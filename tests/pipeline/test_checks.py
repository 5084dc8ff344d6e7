"""The first problem of a row is told, and rows without one pass."""

import polars as pl

from pipeline import checks
from pipeline.checks import Check

ROWS = pl.DataFrame({
    "row": pl.Series([1, 2, 3, 4], dtype=pl.Int32), "name": ["a", "B", None, "c"], "price": ["1", "x", "2", "y"],
    "odd": [None, "is no number", None, "is no number"],
})  # fmt: skip
SHAPE = checks.unless("Name", "name", "^[a-z]$", "is no small letter")


def test_each_refused_row_has_its_first_problem() -> None:
    good, refused = checks.parted(ROWS, [SHAPE, checks.told("LMP", "price", "odd")])
    assert good["row"].to_list() == [1]
    assert sorted(refused.rows()) == [
        (2, "Name", "B", "Name 'B' is no small letter"),
        (3, "Name", "", "Name is no small letter"),
        (4, "LMP", "y", "LMP 'y' is no number"),
    ]


def test_rows_pass_where_nothing_is_bad_or_nobody_can_tell() -> None:
    untold = Check("LMP", "price", pl.lit(None, dtype=pl.Boolean), pl.lit("is odd"))
    good, refused = checks.parted(ROWS.head(1), [SHAPE, untold])
    assert good["row"].to_list() == [1]
    assert refused.is_empty()


def test_a_check_that_fails_nowhere_may_be_untold_elsewhere() -> None:
    large = Check("LMP", "price", pl.col("price").cast(pl.Int64, strict=False) > 1, pl.lit("is too large"))
    good, refused = checks.parted(ROWS, [large])
    assert good["row"].to_list() == [1, 2, 4]
    assert refused.rows() == [(3, "LMP", "2", "LMP '2' is too large")]
