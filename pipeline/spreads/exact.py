"""Exact quotients of 128-bit integers, and prices of them."""

from decimal import Decimal
from typing import Final

import polars as pl

from pipeline.schema import DIGITS, PRICE, SCALE

_TWO: Final = pl.lit(2, pl.Int128)


def half_even(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """The quotient as an integer, rounded once, half to even. The denominator is above 0."""
    whole = numerator // denominator
    rest = numerator - whole * denominator
    up = (_TWO * rest > denominator) | ((_TWO * rest == denominator) & (whole % _TWO != 0))
    return whole + up.cast(pl.Int128)


def as_price(units: pl.Expr) -> pl.Expr:
    """A price of that many units of 10^-9."""
    unit = pl.lit(Decimal(1).scaleb(-SCALE)).cast(pl.Decimal(DIGITS, SCALE))
    return (units.cast(pl.Decimal(38, 0)) * unit).cast(PRICE)
