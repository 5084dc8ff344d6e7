import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from api import render
from pipeline.schema import EARLIEST, LATEST

DECIMALS = st.decimals(min_value=-999_999_999, max_value=999_999_999, places=9)


def _read(frame: pl.DataFrame, *, as_text: bool = False) -> list[dict[str, object]]:
    return json.loads(f"[{render.rows(frame, decimals_as_text=as_text)}]", parse_float=Decimal, parse_int=Decimal)


@given(st.lists(st.tuples(st.text(), st.none() | DECIMALS), max_size=5))
def test_every_text_and_every_digit_comes_back(rows: list[tuple[str, Decimal | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"name": pl.String, "price": pl.Decimal(18, 9)}, orient="row")
    assert _read(frame) == [{"name": name, "price": price} for name, price in rows]
    as_text = [{"name": name, "price": None if price is None else f"{price.normalize():f}"} for name, price in rows]
    assert [(row["name"], row["price"]) for row in _read(frame, as_text=True)] == [
        (row["name"], "0" if row["price"] == "-0" else row["price"]) for row in as_text
    ]


def test_other_types() -> None:
    at = datetime(2026, 7, 1, 1, 2, 3, 4000, tzinfo=UTC)
    frame = pl.DataFrame(
        {"at": [at, None], "flags": [["A", "B"], []], "n": [1, None], "b": [True, False]},
        schema={"at": pl.Datetime("us", "UTC"), "flags": pl.List(pl.String), "n": pl.UInt64, "b": pl.Boolean},
    )
    assert render.rows(frame) == (
        '{"at":"2026-07-01T01:02:03.004Z","flags":["A","B"],"n":1,"b":true},{"at":null,"flags":[],"n":null,"b":false}'
    )
    assert render.rows(frame.clear()) == ""


def test_whole_numbers_keep_their_zeros() -> None:
    frame = pl.DataFrame(
        {"a": [Decimal(100)], "b": [Decimal(100)]}, schema={"a": pl.Decimal(18, 9), "b": pl.Decimal(18, 0)}
    )
    assert render.rows(frame) == '{"a":100,"b":100}'


def test_days_are_texts() -> None:
    frame = pl.DataFrame({"day": [date(2026, 7, 1), None]}, schema={"day": pl.Date})
    assert render.rows(frame) == '{"day":"2026-07-01"},{"day":null}'


ROWS = st.tuples(
    st.text(max_size=3),
    st.none() | DECIMALS,
    st.none() | st.timedeltas(timedelta(0), LATEST - EARLIEST).map(lambda since: EARLIEST + since),
    st.lists(st.sampled_from(["A", "B"]), max_size=2),
    st.none() | st.booleans(),
)


@given(ROWS, ROWS, st.integers(0, 150), st.booleans())
def test_many_rows_are_written_as_few_are(
    most: tuple[object, ...], other: tuple[object, ...], at: int, as_text: bool
) -> None:
    types = [pl.String, pl.Decimal(18, 9), pl.Datetime("us", "UTC"), pl.List(pl.String), pl.Boolean]
    rows = [most] * at + [other] + [most] * (150 - at)
    frame = pl.DataFrame(rows, schema=dict(zip("abcde", types, strict=True)), orient="row")
    many = pl.concat([frame] * 40)
    usual, odd = (render.rows(frame.slice(each, 1), decimals_as_text=as_text) for each in ((at + 1) % 151, at))
    assert render.lines(many, decimals_as_text=as_text).to_list() == [*[usual] * at, odd, *[usual] * (150 - at)] * 40
