import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.schema import REJECTS, conform
from workers.codec import Messages
from workers.header import PART
from workers.refused import causes, runs


def _messages(count: int) -> Messages:
    return Messages([100 + 2 * i for i in range(count)], [1] * count, [1] * count, [None] * count, {}, [b"x"] * count)


def _rejects(*rows: tuple[int, int, bool, str, str, str]) -> pl.DataFrame:
    names = ["offset", "row", "whole", "field", "value", "reason"]
    return conform(pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows]), REJECTS)


def test_one_dead_letter_a_message() -> None:
    rejects = _rejects(
        (104, 7, False, "MW", "abc", "MW 'abc' is no number"),
        (100, 0, True, "price", "NaN", "price 'NaN' is no number"),
        (104, 9, False, "MW", "", "is empty"),
    )
    whole, rows = causes(rejects, _messages(4))
    assert (whole.index, whole.row, whole.refused, whole.message) == (0, 0, 0, "price 'NaN' is no number")
    assert (rows.index, rows.refused, rows.error_class) == (2, 2, "RowsRefused")
    assert rows.message == "2 rows refused, the first (row 7): MW 'abc' is no number"
    assert [row["row"] for row in rows.rows] == [7, 9]


def test_at_most_a_hundred_rows_are_listed_and_all_are_counted() -> None:
    (cause,) = causes(_rejects(*((100, row, False, "MW", "", "is empty") for row in range(1, 251))), _messages(1))
    assert (len(cause.rows), cause.refused) == (100, 250)


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_runs_are_those_of_the_text(bad: list[bool]) -> None:
    text = "".join("x" if each else "." for each in bad)
    found = runs([i for i, each in enumerate(bad) if each], len(bad))
    lead, trail = len(text) - len(text.lstrip("x")), len(text) - len(text.rstrip("x"))
    assert (found.lead, found.trail, found.longest) == (lead, trail, max(len(part) for part in text.split(".")))


@given(st.sets(st.integers(0, 1_299)))
def test_parts_say_where_in_a_batch_the_refusals_are(bad: set[int]) -> None:
    expected = [sum(first <= each < first + PART for each in bad) for first in range(0, 1_300, PART)]
    assert list(runs(sorted(bad), 1_300).parts) == (expected if bad else [])
