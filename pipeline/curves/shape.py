"""An additive seasonal shape fitted to the pieces of a curve: what comes again every year.

By least squares, each piece counting by its weight, the price of a day is level + trend × time + Σ (a cos 2πky + b sin
2πky), where y is the part of the year that has passed, k = 1, and 2 where most days are of pieces no longer than a
month. The shape is the last sum (a sinusoid of the year, as in Benth, Koekebakker & Ollmar 2007). What the pieces do
not tell, such as the form of a year within quarters, is left at 0: directions in which they say less than a tenth of
what the days would say.
"""

from typing import Final

import numpy as np
import polars as pl

from pipeline.curves.spline import Floats, Places

_YEAR: Final = 365  # days that must be known, from the first to the last
_MONTH: Final = 31
_DIM: Final = 0.1


def fitted(days: pl.DataFrame) -> pl.Series:
    """The shape (Float64) of each row of `days` (as `pipeline.curves.smooth.smooth` takes them): 0 where less than a
    year is known."""
    if days.is_empty() or (days["day"][-1] - days["day"][0]).days + 1 < _YEAR:
        return pl.zeros(days.height, pl.Float64, eager=True)
    waves, steady = _waves(days), _steady(days)
    weight = days["weight"].cast(pl.Float64).to_numpy()
    piece = days["piece_start"].rle_id().to_numpy().astype(np.intp)
    prices = days["price"].cast(pl.Float64).to_numpy()[:, None]
    mean = _means(np.hstack([waves, steady, prices]), piece, weight)
    told, level, price = np.split(mean, [waves.shape[1], waves.shape[1] + steady.shape[1]], axis=1)
    left = _without(level, np.hstack([told, price]))
    whole = np.sqrt(weight.sum() / 2)  # of a sinusoid that is known by the day
    return pl.Series(waves @ _factors(left[:, :-1], left[:, -1], _DIM * whole))


def _waves(days: pl.DataFrame) -> Floats:
    """Sinusoids of the year, a column each."""
    day = days["day"].dt
    passed = (day.ordinal_day() - 1) / pl.select(pl.when(day.is_leap_year()).then(366).otherwise(365)).to_series()
    short = (pl.len().over("piece_start") <= _MONTH).mean()
    count = 2 if days.select(short).item() > 0.5 else 1
    turns = 2 * np.pi * np.outer(passed.to_numpy(), np.arange(1, count + 1))
    return np.hstack([np.cos(turns), np.sin(turns)])


def _steady(days: pl.DataFrame) -> Floats:
    """Level and trend."""
    time = np.linspace(-1.0, 1.0, days.height)
    return np.column_stack([np.ones(days.height), time])


def _means(columns: Floats, piece: Places, weight: Floats) -> Floats:
    """A row a piece, times the root of its weight."""
    total = np.zeros((piece[-1] + 1, columns.shape[1]))
    np.add.at(total, piece, columns * weight[:, None])
    held = np.bincount(piece, weight)
    return total / np.sqrt(held)[:, None]


def _factors(told: Floats, price: Floats, least: float) -> Floats:
    """Least squares, 0 in the directions whose singular value is not above `least`."""
    u, strength, turned = np.linalg.svd(told, full_matrices=False)
    clear = strength > least
    along = (u.T @ price)[clear] / strength[clear]
    return np.asarray(turned[clear].T @ along, dtype=np.float64)


def _without(known: Floats, columns: Floats) -> Floats:
    """What of the columns no combination of `known` can tell."""
    return columns - known @ np.linalg.lstsq(known, columns, rcond=None)[0]
