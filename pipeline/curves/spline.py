"""The maximum-smoothness spline: of all curves that average to the given means, the one that bends least.

F. E. Benth, S. Koekebakker, F. Ollmar, "Extracting and applying smooth forward curves from average-based commodity
contracts with seasonal variation" (Journal of Derivatives, 2007); S.-E. Fleten, J. Lemming, "Constructing forward price
curves in electricity markets" (Energy Economics, 2003). Between two knots p is a polynomial of degree 4; value, slope
and curvature go on at a knot; ∫p''² is least under the means, and where the end is flat under p'(T) = 0.

Knots are the beginnings of the pieces. p is read, and averaged, at the beginning of each day, time counts in days. The
minimum with its conditions is one system of linear equations (Karush-Kuhn-Tucker). Each polynomial is of
u = (t - start) ÷ length of its piece, so that no power of a large number comes up.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DataProcessingError

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_POWERS: Final = np.arange(5)
_SLOPE: Final = _POWERS * 1.0  # of u ** k at u = 1
_BEND: Final = _POWERS * (_POWERS - 1.0)
_SAFE: Final = 1e-7  # share of the largest mean that a mean may be missed by
_ROUNDED: Final = 1e-13  # what floats leave over of prices that are the same


@dataclass(frozen=True, slots=True)
class Grid:
    """The days of pieces without a gap, in order: `piece` of each (0, 1, …), `weight` (in each piece some are above 0);
    `length` of each piece in days."""

    piece: Places
    weight: Floats
    length: Floats

    def powers(self) -> Floats:
        """u ** 0 … u ** 4 of each day."""
        first = np.cumsum(self.length) - self.length
        u = (np.arange(len(self.piece)) - first[self.piece]) / self.length[self.piece]
        return u[:, None] ** _POWERS

    def means(self, values: Floats) -> Floats:
        """The mean over each piece by weight, of one column or several."""
        columns = values.reshape(len(values), -1)
        total = np.zeros((len(self.length), columns.shape[1]))
        np.add.at(total, self.piece, columns * self.weight[:, None])
        held = np.bincount(self.piece, self.weight, len(self.length))
        return (total / held[:, None]).reshape(len(self.length), *values.shape[1:])


def spline(grid: Grid, means: Floats, *, flat: bool) -> Floats:
    """The value of each day. `flat`: it ends without slope. A single piece is constant.

    Raises `DataProcessingError` where floats cannot solve it.
    """
    if len(means) == 1:
        return np.full(len(grid.piece), means[0])
    level = means.mean()
    powers = grid.powers()
    rows = _conditions(grid, powers, flat=flat)
    given = np.concatenate([means - level, np.zeros(len(rows) - len(means))])
    factors = _least(_bending(grid.length), rows, given).reshape(-1, len(_POWERS))
    values = level + (powers * factors[grid.piece]).sum(axis=1)
    missed = means - grid.means(values)
    if not np.abs(missed).max() <= max(_SAFE * np.abs(means - level).max(), _ROUNDED * max(np.abs(means).max(), 1)):
        raise DataProcessingError(
            "The smooth curve misses the price of a piece. Give pieces whose lengths and weights differ less.",
            "aggregate", {"field": "pieces", "missed": float(np.abs(missed).max())},
        )  # fmt: skip
    return values + missed[grid.piece]  # what floats left over, far below what is stored of a day's price


def _conditions(grid: Grid, powers: Floats, *, flat: bool) -> Floats:
    """Rows over the factors of all pieces: the means, then value, slope and curvature at each knot, then the end."""
    count, width = len(grid.length), len(_POWERS)
    rows = np.zeros((count + 3 * (count - 1) + flat, count, width))
    rows[np.arange(count), np.arange(count)] = grid.means(powers)
    here, there, at = np.arange(count - 1), np.arange(1, count), count + 3 * np.arange(count - 1)
    ratio = grid.length[:-1] / grid.length[1:]
    for order, end in enumerate((np.ones(width), _SLOPE, _BEND)):
        scale = np.maximum(1, ratio**order)
        rows[at + order, here] = end / scale[:, None]
        rows[at + order, there, order] = -max(order, 1) * ratio**order / scale
    if flat:
        rows[-1, -1] = _SLOPE
    return rows.reshape(len(rows), count * width)


def _bending(length: Floats) -> Floats:
    """The matrix of ∫p''², but for a factor: k(k-1) l(l-1) ÷ (k+l-3) ÷ length³ for the powers k and l of a piece."""
    k, each = _POWERS[:, None], _POWERS[None, :]
    one = np.outer(_BEND, _BEND) / np.maximum(k + each - 3, 1)
    scale = (np.exp(np.log(length).mean()) / length) ** 3
    return np.asarray(np.kron(np.diag(scale), one), dtype=np.float64)


def _least(bending: Floats, rows: Floats, given: Floats) -> Floats:
    """x with rows · x = given and x · bending · x least."""
    size = len(bending)
    system = np.block([[bending, rows.T], [rows, np.zeros((len(rows), len(rows)))]])
    right = np.concatenate([np.zeros(size), given])
    x = np.zeros(len(system))
    for _ in range(2):  # the second time for what floats left over the first time
        x += np.linalg.solve(system, right - system @ x)
    return x[:size]
