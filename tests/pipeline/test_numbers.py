import re
from decimal import Decimal, localcontext

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import numbers

_NUMBER = re.compile(r"[ \t]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")
plain = st.from_regex(r"[ ]{0,3}[+-]?[0-9]{0,11}\.?[0-9]{0,12}(?:[eE][+-]?[0-9]{1,2})?", fullmatch=True)


def read(*cells: str | None) -> tuple[list[Decimal | None], list[str | None]]:
    values, reasons = numbers.decimals(pl.Series(cells, dtype=pl.String))
    return values.to_list(), reasons.to_list()


@given(st.lists(st.one_of(plain, st.text("0123456789.eE+- NainfIty٣", max_size=14)), min_size=1, max_size=30))
@example(["1e-12"])
@example(["0.0000000001", "1.0000000000000000000000"])
@example(["999999999.9999999999"])
@example(["00000000000000001.5"])
def test_every_cell_is_exact_refused_or_blank(cells: list[str]) -> None:
    values, reasons = read(*cells)
    for cell, value, reason in zip(cells, values, reasons, strict=True):
        if not cell.strip(" \t"):
            assert (value, reason) == (None, None)
            continue
        assert (value is None) != (reason is None), cell
        exact = Decimal(cell.strip()) if _NUMBER.fullmatch(cell) else None
        held = exact is not None and abs(exact) < 10**9 and _fits(exact)
        assert (value == exact) if held else (reason is not None), (cell, value, reason)


def _fits(value: Decimal) -> bool:
    with localcontext(prec=200):
        return value == value.quantize(Decimal("1e-9"))


@pytest.mark.parametrize(
    ("cell", "value"),
    [(" 12.34", "12.34"), (".05", "0.05"), ("-.37", "-0.37"), ("1e2", "100"), ("1.", "1"), ("+5", "5"),
     ("0.1230000000000", "0.123"), ("-0", "0"), ("999999999.999999999", "999999999.999999999")],
)  # fmt: skip
def test_legal_forms(cell: str, value: str) -> None:
    assert read(cell) == ([Decimal(value)], [None])


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("1.1234567891", numbers.TOO_FINE), ("1e-10", numbers.TOO_FINE), ("1e30", numbers.TOO_LARGE),
     ("1000000000", numbers.TOO_LARGE), ("-1e9", numbers.TOO_LARGE), ("NaN", numbers.NOT_A_NUMBER),
     ("Infinity", numbers.NOT_A_NUMBER), ("1,5", numbers.NOT_A_NUMBER), ("1_0", numbers.NOT_A_NUMBER),
     ("0x1", numbers.NOT_A_NUMBER), ("--1", numbers.NOT_A_NUMBER), (".", numbers.NOT_A_NUMBER)],
)  # fmt: skip
def test_refused_forms(cell: str, reason: str) -> None:
    assert read("1.5", cell, "2") == ([Decimal("1.5"), None, Decimal(2)], [None, reason, None])


def test_missing_markers_of_documents() -> None:
    cells = pl.Series([None, "", "  ", "NaN", "N/A", "-", "0", "nan", "x"])
    assert numbers.missing(cells).to_list() == [True] * 6 + [False, True, False]
