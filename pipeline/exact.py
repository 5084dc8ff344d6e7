"""Exact quotients of 128-bit integers, and prices of them."""

from decimal import Decimal
from typing import Final

import polars as pl

from pipeline.schema import DIGITS, PRICE, SCALE

_TWO: Final = pl.lit(2, pl.Int128)


def half_even(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """The quotient as an integer, rounded once, half to even. The denominator is above 0."""
    whole = numerator // denominator
    return rounded(whole, doubled_rest(numerator, denominator, whole), denominator)


def doubled_rest(numerator: pl.Expr, denominator: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Twice what the whole part of the quotient leaves."""
    return (numerator - whole * denominator) * _TWO


def rounded(whole: pl.Expr, twice: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """`half_even` of its parts: whoever keeps them as columns has each worked out once."""
    up = (twice > denominator) | ((twice == denominator) & (whole % _TWO != 0))
    return whole + up.cast(pl.Int128)


def as_price(units: pl.Expr) -> pl.Expr:
    """A price of that many units of 10^-9."""
    unit = pl.lit(Decimal(1).scaleb(-SCALE)).cast(pl.Decimal(DIGITS, SCALE))
    return (units.cast(pl.Decimal(38, 0)) * unit).cast(PRICE)
