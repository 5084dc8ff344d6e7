"""How much a day of delivery weighs in the price of a contract: weights belong to the contract.

A month of gas is the same quantity however many days it has (Henry Hub: 10,000 MMBtu): a day weighs one part of its
month. Power (prices per MWh) is delivered by the hour: a day weighs its hours in the curve's block, 23 to 25 of all.
"""

from typing import Final

import polars as pl

from pipeline import blocks, calendar
from pipeline.curves.definitions import Curve

MONTH: Final = 28 * 29 * 30 * 31  # divides into the days of every month
_POWER: Final = "/MWh"


def by_hours(curve: Curve) -> bool:
    return (curve.unit or "").endswith(_POWER)


def weighed(curve: Curve, days: pl.DataFrame) -> pl.DataFrame:
    """`days` (with `day`) and the `weight` (Int128) of each: whole numbers that compare within a curve."""
    if not by_hours(curve):
        length = pl.col("day").dt.month_end().dt.day().cast(pl.Int128)
        return days.with_columns(weight=pl.lit(MONTH, pl.Int128) // length)
    distinct = days.select(pl.col("day").unique())
    return days.join(_hours(curve, distinct), on="day", how="left", maintain_order="left")


def _hours(curve: Curve, days: pl.DataFrame) -> pl.DataFrame:
    first, beyond = calendar.borders(pl.col("day"), curve.zone)
    hours = days.with_columns(hour=pl.datetime_ranges(first, beyond, "1h", closed="left")).explode("hour")
    inside = blocks.within(hours["hour"], curve.block, curve.market)
    return hours.with_columns(inside=inside).group_by("day").agg(weight=pl.col("inside").sum().cast(pl.Int128))
