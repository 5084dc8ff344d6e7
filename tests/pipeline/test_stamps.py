"""Naive stamps in all forms that exchanges write."""

import polars as pl
import pytest

from pipeline import stamps


def shown(*text: str | None) -> list[str | None]:
    return stamps.local(pl.Series(text, dtype=pl.String)).dt.to_string("%Y-%m-%d %H:%M:%S").to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-20", "2024-02-20 00:00:00"),
        ("2024-02-20T05:00:00", "2024-02-20 05:00:00"),
        ("2024-02-20T05:00:00.000", "2024-02-20 05:00:00"),
        ("2024/02/20 05:07", "2024-02-20 05:07:00"),
        ("02/20/2024 05:00:17", "2024-02-20 05:00:17"),
        ("2/3/24 5:00", "2024-02-03 05:00:00"),
        ("12/31/99 23:00", "1999-12-31 23:00:00"),
        ("2/20/2024 5:00:00 AM", "2024-02-20 05:00:00"),
        ("2/20/2024 12:00:00 AM", "2024-02-20 00:00:00"),
        ("2/20/2024 12:05:00 PM", "2024-02-20 12:05:00"),
        ("2/20/2024 1:05 pm", "2024-02-20 13:05:00"),
        (" 10/1/2026 ", "2026-10-01 00:00:00"),
    ],
)
def test_every_form_is_read(text: str, expected: str) -> None:
    assert shown(text) == [expected]


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2/30/2024", "13/1/2024", "2024-02-20T24:00:00", "2/20/2024 13:00:00 PM", "2/20/2024 0:00 AM",
     "2024-02-20T05:60:00", "2024-02-20T05:00:00.5", "2024-02-20T05:00:00Z", "5:00",
     "06/31/2024 10:05", "06-01-2024 10:05", "6/1/024 0:05", "06/01/2024 10:5"],
)  # fmt: skip
def test_what_is_no_stamp_is_null(text: str) -> None:
    assert shown(text) == [None]


def test_rows_keep_their_order_and_nulls() -> None:
    text = pl.Series(["1/2/2024", None, "1/1/2024", "1/2/2024"])
    assert shown(*text) == ["2024-01-02 00:00:00", None, "2024-01-01 00:00:00", "2024-01-02 00:00:00"]
    assert stamps.local(pl.Series([], dtype=pl.String)).len() == 0
