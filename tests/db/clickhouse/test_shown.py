"""Averages of bars, against exact fractions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from db.clickhouse.shown import finished
from pipeline.schema import INSTANT, PRICE

START = datetime(2026, 7, 1, tzinfo=UTC)
MINUTE_US = 60_000_000
UNITS = st.integers(-(10**18) + 1, 10**18 - 1)
VOLUMES = st.none() | st.integers(-(10**37), 10**37) | st.integers(-3, 3)
WORTHS = st.integers(-(2**200), 2**200) | st.integers(-(10**36), 10**36) | st.integers(-9, 9)


def _price(above: int, below: int) -> Decimal | None:
    units = 0 if below == 0 else round(Fraction(above, below))  # half to even
    return None if below == 0 or abs(units) >= 10**18 else Decimal(units).scaleb(-9)


@example(close=1, volume=2, worth=3, last=0, hold=0, head=0, covered=0)
@example(close=1, volume=-2, worth=2**200, last=0, hold=0, head=1, covered=2)
@example(close=0, volume=2 * 10**37 + 1, worth=10**37, last=0, hold=9, head=-3, covered=2)
@given(
    close=UNITS,
    volume=VOLUMES,
    worth=WORTHS,
    last=st.integers(0, MINUTE_US),
    hold=st.integers(0, 2 * MINUTE_US),
    head=st.integers(-(10**27), 10**27),
    covered=st.integers(0, MINUTE_US),
)
def test_averages_are_divided_once(
    close: int, volume: int | None, worth: int, last: int, hold: int, head: int, covered: int
) -> None:
    row = {
        "end": START + timedelta(minutes=1), "last_start": START + timedelta(microseconds=last), "last_hold_us": hold,
        "close": Decimal(close).scaleb(-9), "volume": None if volume is None else Decimal(volume).scaleb(-9),
        "covered_head_us": covered, "head": str(head), "worth": str(worth),
    }  # fmt: skip
    types = {"end": INSTANT, "last_start": INSTANT, "close": PRICE, "volume": pl.Decimal(38, 9)}
    (bar,) = finished(pl.DataFrame([row], schema_overrides=types)).to_dicts()
    held = min(hold, MINUTE_US - last)
    assert bar["vwap"] == (None if volume is None else _price(worth, volume))
    assert bar["twap"] == _price(head + close * held, covered + held)
    assert bar["covered_seconds"] == Decimal(covered + held).scaleb(-6)
