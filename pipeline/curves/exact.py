"""Linear equations in whole fractions, of which each tells what it follows from.

An equation says that a combination of unknowns is a combination of given numbers: neither side is worked out, so that
what an unknown follows from, and how strongly, can be read from the result.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

Terms = Mapping[int, Fraction]
"""Factors by the place of an unknown, or of a given number; absent ones are 0."""
Equation = tuple[Terms, Terms]
"""Unknowns on the left, given numbers on the right."""


def plus(terms: Terms, factor: Fraction, more: Terms) -> dict[int, Fraction]:
    """terms + factor × more, without those that are 0."""
    both = {
        key: terms.get(key, Fraction(0)) + factor * more.get(key, Fraction(0)) for key in terms.keys() | more.keys()
    }
    return {key: value for key, value in both.items() if value}


def value(terms: Terms, numbers: Sequence[Fraction]) -> Fraction:
    """The combination worked out."""
    return sum((factor * numbers[key] for key, factor in terms.items()), Fraction(0))


class Equations:
    """Independent equations, each solved for an unknown of its own that no other one holds (reduced echelon form)."""

    def __init__(self) -> None:
        self._solved: dict[int, Equation] = {}

    def add(self, left: Terms, right: Terms) -> Terms | None:
        """Takes an equation on, and says None; or leaves it, where its left side follows from those before, and says
        by what its right side differs from theirs: a combination that would have to be 0."""
        left, right = self._reduced(left, right)
        if not left:
            return right
        unknown = min(left)
        left, right = plus({}, 1 / left[unknown], left), plus({}, 1 / left[unknown], right)
        for other, (its_left, its_right) in list(self._solved.items()):
            if factor := its_left.get(unknown):
                self._solved[other] = plus(its_left, -factor, left), plus(its_right, -factor, right)
        self._solved[unknown] = left, right
        return None

    def of(self, unknown: int) -> Equation:
        """The unknown as a combination of those that are still free, and of given numbers (their sum)."""
        if unknown not in self._solved:
            return {unknown: Fraction(1)}, {}
        left, right = self._solved[unknown]
        return {key: -factor for key, factor in left.items() if key != unknown}, right

    def _reduced(self, left: Terms, right: Terms) -> Equation:
        for unknown in [key for key in left if key in self._solved]:
            factor, (its_left, its_right) = left[unknown], self._solved[unknown]
            left, right = plus(left, -factor, its_left), plus(right, -factor, its_right)
        return left, right


def flatten(equations: Equations, weights: Terms, level: int) -> None:
    """Fixes what is free of the unknowns of `weights`: Σ weight × (unknown − given number `level`)² becomes as small
    as the equations let it."""
    each = {unknown: (weight, *equations.of(unknown)) for unknown, weight in weights.items()}
    for free in sorted({key for _, left, _ in each.values() for key in left}):
        equations.add(*_gradient(each.values(), free, level))


def _gradient(each: Iterable[tuple[Fraction, Terms, Terms]], free: int, level: int) -> Equation:
    """That the sum's derivative by a free unknown is 0."""
    left: Terms = {}
    right: Terms = {}
    for weight, its_left, its_right in each:
        factor = weight * its_left.get(free, Fraction(0))
        left = plus(left, factor, its_left)
        right = plus(right, factor, plus({level: Fraction(1)}, Fraction(-1), its_right))
    return left, right
