"""Deliveries made up and published, and the brute force that they are checked by."""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl

from pipeline.curves.bootstrap import Piece
from pipeline.curves.deliveries import Input

DAY = timedelta(days=1)
CENT = Decimal("0.01")

# The futures of the README of etrm (R package), 2013-05-13: name, first and last day of delivery, closing price.
ETRM = """
W21-13 2013-05-20 2013-05-26 33.65
W22-13 2013-05-27 2013-06-02 35.77
W23-13 2013-06-03 2013-06-09 36.58
W24-13 2013-06-10 2013-06-16 35.93
W25-13 2013-06-17 2013-06-23 33.14
W26-13 2013-06-24 2013-06-30 34.16
MJUN-13 2013-06-01 2013-06-30 35.35
MJUL-13 2013-07-01 2013-07-31 33.14
MAUG-13 2013-08-01 2013-08-31 35.72
MSEP-13 2013-09-01 2013-09-30 38.41
MOCT-13 2013-10-01 2013-10-31 38.81
MNOV-13 2013-11-01 2013-11-30 40.94
Q3-13 2013-07-01 2013-09-30 35.72
Q4-13 2013-10-01 2013-12-31 40.53
Q1-14 2014-01-01 2014-03-31 42.40
Q2-14 2014-04-01 2014-06-30 33.39
Q3-14 2014-07-01 2014-09-30 31.78
Q4-14 2014-10-01 2014-12-31 38.25
Q1-15 2015-01-01 2015-03-31 40.73
Q2-15 2015-04-01 2015-06-30 32.64
Q3-15 2015-07-01 2015-09-30 30.87
Q4-15 2015-10-01 2015-12-31 37.22
CAL-14 2014-01-01 2014-12-31 36.43
CAL-15 2015-01-01 2015-12-31 35.12
CAL-16 2016-01-01 2016-12-31 34.10
"""


def etrm() -> list[Input]:
    lines = [line.split() for line in ETRM.splitlines() if line]
    return [delivery(name, first, last, price) for name, first, last, price in lines]


def delivery(name: str, first: str, last: str, price: str, kind: str = "quote", tick: Decimal = CENT) -> Input:
    """An input by its first and last day."""
    return Input(name, date.fromisoformat(first), date.fromisoformat(last) + DAY, Decimal(price), kind, tick)


def days(start: date, end: date) -> list[date]:
    return [start + at * DAY for at in range((end - start).days)]


def even(first: int, last: int) -> dict[date, int]:
    """24 hours every day of these years."""
    return dict.fromkeys(days(date(first, 1, 1), date(last + 1, 1, 1)), 24)


def by_month(first: int, last: int) -> dict[date, Fraction]:
    """Every month weighs 1."""
    every = days(date(first, 1, 1), date(last + 1, 1, 1))
    return {day: Fraction(1, calendar.monthrange(day.year, day.month)[1]) for day in every}


def mean(prices: dict[date, Decimal], start: date, end: date, weights: dict[date, int]) -> Fraction:
    """The mean of daily prices, exactly."""
    over = days(start, end)
    return sum((Fraction(prices[day]) * weights[day] for day in over), Fraction(0)) / sum(weights[day] for day in over)


def flat(pieces: Sequence[Piece]) -> dict[date, Decimal]:
    """Each day at the price of its piece."""
    return {day: piece.price for piece in pieces for day in days(piece.start, piece.end)}


def frame(pieces: Sequence[Piece], weights: dict[date, int]) -> pl.DataFrame:
    """What `pipeline.curves.smooth.smooth` takes."""
    rows = [(day, weights[day], piece.start, piece.price) for piece in pieces for day in days(piece.start, piece.end)]
    schema = {"day": pl.Date, "weight": pl.Int128, "piece_start": pl.Date, "price": pl.Decimal(38, 12)}
    return pl.DataFrame(rows, schema=schema, orient="row")
