"""Deliveries that overlap as contiguous pieces that do not: what each day costs follows from what trades.

The price of a delivery is the mean of the prices of its days by their weights. Between the borders of all deliveries
each stretch of days has one unknown price, and each input is one linear equation. The inputs are taken in precedence
(`pipeline.curves.deliveries`), in exact fractions:

- one that says something new is kept, and **fixes** the curve: its mean over the pieces is its price, exactly but for
  the rounding of the pieces to 12 decimals;
- of one whose mean follows already from those before, the residual is its price less that mean. Up to half a tick for
  each price involved (its own, and those that its mean follows from) it is rounding: the input **agrees**. It is kept
  but moves nothing; the curve returns its price less the residual that is told, so within that tolerance;
- beyond that it contradicts them and is **rejected**: it moves nothing.

What then is still free (a week over a month's end says nothing of either part) is as flat as it can be within each kept
delivery: Σ weight × (price − price of the delivery)² is least in the first one, then in the next, in precedence.

A piece is **implausible** where an input moves it by more than four times its own change (what is left over of a long
delivery for a few days), and its price lies further outside the range of the prices that it follows from and of the
pieces beside it than that range is wide.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from pipeline.curves.deliveries import Input, Stretch, Weights, ordered, stretches, within
from pipeline.curves.exact import Equations, Terms, flatten, value

DECIMALS: Final = 12
Standing = Literal["fixes", "agrees", "rejected"]

_LEVERAGE: Final = 4  # times its own change that an input may move a piece


@dataclass(frozen=True, slots=True)
class Piece:
    """Delivery days [`start`, `end`) of one price. `inputs`: the names of what it follows from, in precedence; `given`:
    one input is of this very delivery and alone makes its price."""

    start: date
    end: date
    price: Decimal
    inputs: tuple[str, ...]
    given: bool
    implausible: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of an input. `residual`: its price less what those in `against` (names, in precedence) imply for its
    delivery; `tolerance`: how large that may be. Of one that fixes the curve both are 0, and nothing is against it."""

    input: Input
    standing: Standing
    residual: Decimal
    tolerance: Decimal
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """`pieces` in order of delivery, none where no input delivers; `checked`: every input once, in precedence."""

    pieces: tuple[Piece, ...]
    checked: tuple[Checked, ...]


def bootstrap(inputs: Iterable[Input], weights: Weights) -> Bootstrapped:
    """The pieces of a curve. `weights`: of every day of every input.

    Raises `DataProcessingError` for an input that delivers nothing or has no number as its price, and for a day without
    a weight.
    """
    every = ordered(inputs)
    checked = _checked(every, weights)
    fixing = [each.input for each in checked if each.standing == "fixes"]
    return Bootstrapped(tuple(_pieces(fixing, weights)), tuple(checked))


def rounded(number: Fraction) -> Decimal:
    """To 12 decimals, half to even."""
    return Decimal(round(number * 10**DECIMALS)).scaleb(-DECIMALS)


def _checked(every: Sequence[Input], weights: Weights) -> list[Checked]:
    cut, equations = stretches(every, weights), Equations()
    told = [equations.add(within(each, cut), {at: Fraction(1)}) for at, each in enumerate(every)]
    return [_standing(every, at, rest) for at, rest in enumerate(told)]


def _standing(every: Sequence[Input], at: int, rest: Terms | None) -> Checked:
    if rest is None:
        return Checked(every[at], "fixes", Decimal(0), Decimal(0), ())
    residual = value(rest, [Fraction(each.price) for each in every])
    tolerance = sum((every[key].tick for key in rest), Decimal(0)) / 2
    against = tuple(every[key].name for key in sorted(rest) if key != at)
    standing: Standing = "agrees" if abs(residual) <= Fraction(tolerance) else "rejected"
    return Checked(every[at], standing, rounded(residual), tolerance, against)


def _pieces(fixing: Sequence[Input], weights: Weights) -> list[Piece]:
    """All deliveries are independent: each begins or ends somewhere that the others do not tell of."""
    cut, equations = stretches(fixing, weights), Equations()
    held = [within(each, cut) for each in fixing]
    for at, each in enumerate(held):
        equations.add(each, {at: Fraction(1)})
    for at, each in enumerate(held):
        flatten(equations, {place: each[place] for place in each}, at)
    made = [equations.of(place)[1] for place in range(len(cut))]
    given = [len(of) == 1 and set(held[next(iter(of))]) == {place} for place, of in enumerate(made)]
    odd = _implausible(fixing, cut, made)
    prices = [Fraction(each.price) for each in fixing]
    return [
        Piece(
            of.start, of.end, rounded(value(terms, prices)), tuple(fixing[at].name for at in sorted(terms)), alone, far
        )
        for of, terms, alone, far in zip(cut, made, given, odd, strict=True)
    ]


def _implausible(fixing: Sequence[Input], cut: Sequence[Stretch], made: Sequence[Terms]) -> list[bool]:
    prices = [Fraction(each.price) for each in fixing]
    values = [value(terms, prices) for terms in made]
    return [
        max(map(abs, terms.values())) > _LEVERAGE
        and _far(values[place], [prices[at] for at in terms] + _beside(cut, values, place))
        for place, terms in enumerate(made)
    ]


def _beside(cut: Sequence[Stretch], values: Sequence[Fraction], place: int) -> list[Fraction]:
    near = [at for at in (place - 1, place + 1) if 0 <= at < len(cut)]
    return [values[at] for at in near if cut[min(at, place)].end == cut[max(at, place)].start]


def _far(price: Fraction, others: Sequence[Fraction]) -> bool:
    low, high = min(others), max(others)
    return max(price - high, low - price) > high - low
