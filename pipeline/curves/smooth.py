"""The days of a curve: an additive shape, and the smoothest adjustment with which it averages to its pieces.

price of a day = shape of the day + adjustment of the day. Only the adjustment is smoothed (`pipeline.curves.spline`),
in each stretch of days between gaps and borders of seasons by itself: a winter tells nothing of the summer after it. A
piece that reaches over the border of a season has the same mean adjustment on either side. Where days are followed by
none, at the end and before a gap, the adjustment ends flat (p'(T) = 0), unless the end is to be free; it is free at the
border of a season. An additive shape holds for prices of 0 and below, where a factor would not.

The mean of a piece's days by weight is its price but for the rounding of each day to 12 decimals.
"""

from collections.abc import Collection
from typing import Final

import numpy as np
import polars as pl

from pipeline.curves.spline import Floats, Grid, spline

PRICE: Final = pl.Decimal(38, 12)
_UNIT: Final = 10**12
_STRETCH: Final = "stretch"


def smooth(
    days: pl.DataFrame, *, shape: pl.Series | None = None, seasons: Collection[int] = (), free: bool = False
) -> pl.Series:
    """The price (Decimal(38, 12)) of each row of `days`.

    `days`: the days of delivery of one curve in order, `day` (Date), `weight` (whole, not below 0, above 0 on some day
    of each piece), `piece_start` (Date, tells the pieces apart) and `price`, that of its piece. `shape`: a number a
    row. `seasons`: the months whose first days begin a season. `free`: no flat ends, as in curves that are published
    elsewhere: with it theirs can be made again day by day, which is how the spline is checked against another's.

    Raises `DataProcessingError` where floats cannot meet the pieces.
    """
    cut = days.select("day", "piece_start", "weight", "price").with_columns(_cuts(seasons)).with_columns(_counts())
    seasonal = np.zeros(days.height) if shape is None else shape.cast(pl.Float64).to_numpy()
    prices = cut["price"].cast(pl.Float64).to_numpy()
    levels = prices - _piece_means(cut, seasonal)
    moves = seasonal - prices
    for _, rows in cut.with_row_index("row").group_by(_STRETCH, maintain_order=True):
        at = rows["row"].to_numpy()
        moves[at] += _adjustments(rows, levels[at], flat=rows["last"][0] and not free)
    return _exact(cut["price"], moves - _piece_means(cut, moves))


def _cuts(seasons: Collection[int]) -> list[pl.Expr]:
    """`piece` (a number), `stretch` (a number), and `last`: no day follows on the stretch."""
    day = pl.col("day")
    gap = (day != day.shift(1).dt.offset_by("1d")).fill_null(value=True)
    season = day.dt.month().is_in(list(seasons)) & (day.dt.day() == 1)
    stretch = (gap | season).cum_sum()
    ends = gap.shift(-1).fill_null(value=True)
    return [
        pl.col("piece_start").rle_id().alias("piece"),
        stretch.alias(_STRETCH),
        ends.last().over(stretch).alias("last"),
    ]


def _counts() -> pl.Expr:
    """The weight, or 1 on all days of a piece's part in a stretch where none of them weighs anything."""
    weight = pl.col("weight").cast(pl.Float64)
    return pl.when(weight.sum().over("piece", _STRETCH) > 0).then(weight).otherwise(1.0).alias("counts")


def _grid(rows: pl.DataFrame, weight: str) -> Grid:
    piece = rows.select(
        place=pl.col("piece").rle_id(), length=pl.len().over("piece"), first=pl.col("piece").is_first_distinct()
    )
    lengths = piece.filter("first")["length"].cast(pl.Float64).to_numpy()
    return Grid(piece["place"].to_numpy().astype(np.intp), rows[weight].cast(pl.Float64).to_numpy(), lengths)


def _piece_means(cut: pl.DataFrame, values: Floats) -> Floats:
    """Of each row the mean of its piece."""
    grid = _grid(cut, "weight")
    return grid.means(values)[grid.piece]


def _adjustments(rows: pl.DataFrame, levels: Floats, *, flat: bool) -> Floats:
    """Of each row of a stretch, on pieces that all have these levels as means."""
    grid = _grid(rows, "counts")
    return spline(grid, grid.means(levels), flat=flat)


def _exact(price: pl.Series, moves: Floats) -> pl.Series:
    """What each day differs by from its piece added to the piece's exact price."""
    steps = pl.Series(np.rint(moves * _UNIT)).cast(pl.Int128)
    whole = (price.cast(PRICE).to_physical().cast(pl.Int128) + steps).cast(pl.Decimal(38, 0))
    return pl.select((pl.lit(whole) * pl.lit("0.000000000001").cast(PRICE)).cast(PRICE).alias("price")).to_series()
