"""Rows that repeat are worked out once, and none is mistaken for its neighbour."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.distinct import looked_up, spread

_cell = st.sampled_from(["a", "b", "", None])


def _both(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.select(both=pl.format("{}|{}", *(pl.col(name).fill_null("null") for name in ("x", "y"))))


@given(st.lists(st.tuples(_cell, _cell, st.integers(1, 3)), max_size=40), st.sampled_from([1, 10]))
def test_every_row_has_what_follows_from_it(runs: list[tuple[str | None, str | None, int]], times: int) -> None:
    rows = [(x, y) for x, y, count in runs * times for _ in range(count)]
    cells = pl.DataFrame(rows, schema={"x": pl.String, "y": pl.String}, orient="row")
    assert spread(cells, _both).equals(_both(cells))


def test_a_long_run_is_seen_once() -> None:
    seen = list[int]()

    def work(cells: pl.DataFrame) -> pl.DataFrame:
        seen.append(cells.height)
        return cells.select(z="x")

    cells = pl.DataFrame({"x": ["a"] * 500 + ["b"] * 500 + ["a"] * 500})
    assert spread(cells, work)["z"].equals(cells["x"])
    alternating = pl.DataFrame({"x": ["a", "b"] * 500})
    assert spread(alternating, work)["z"].equals(alternating["x"])
    assert seen == [3, 2]


@given(st.lists(st.none() | st.integers(0, 3), min_size=1, max_size=300))
def test_what_is_looked_up_is_made_of_each_cell(cells: list[int | None]) -> None:
    column = pl.Series(cells, dtype=pl.Int64)
    asked: list[int] = []

    def made(values: pl.Series) -> pl.Series:
        asked.append(values.len())
        return values.cast(pl.String)

    assert looked_up(column, made).to_list() == [None if cell is None else str(cell) for cell in cells]
    assert asked == [column.n_unique() if len(cells) > 100 else len(cells)]
