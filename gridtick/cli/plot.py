"""Curves as dots of braille in a terminal: each character holds 2 by 4 of them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK: Final = 0x2800
_LABEL: Final = 10  # characters left of the picture
_WIDTH: Final = 72  # characters of the picture
_HEIGHT: Final = 16


class Step(NamedTuple):
    """A value that holds from one place to another."""

    start: float
    end: float
    value: float


def drawn(curves: Sequence[Sequence[Step]], names: Sequence[str]) -> list[str]:
    """Lines of text: the curves in one picture, the first as a line, others as dots, with the range of values at the
    left and the `names` of the first and the last place below."""
    every = [step for curve in curves for step in curve]
    low, high = min(step.value for step in every), max(step.value for step in every)
    if low == high:
        low, high = low - 1, high + 1
    first, last = min(step.start for step in every), max(step.end for step in every)
    cells = [[0] * _WIDTH for _ in range(_HEIGHT)]
    for place, curve in enumerate(curves):
        before = None
        for column in range(0, 2 * _WIDTH, 1 if place == 0 else 3):
            at = first + (column + 0.5) * (last - first) / (2 * _WIDTH)
            value = next((step.value for step in curve if step.start <= at < step.end), None)
            row = None if value is None else round((high - value) / (high - low) * (4 * _HEIGHT - 1))
            for each in _risen(before if place == 0 else None, row):
                cells[each // 4][column // 2] |= _DOTS[each % 4][column % 2]
            before = row
    labels = {0: high, _HEIGHT - 1: low, _HEIGHT // 2: high - (high - low) * (_HEIGHT // 2 * 4 + 2) / (4 * _HEIGHT)}
    lines = [f"{_label(labels.get(row))} {_text(cells[row])}".rstrip() for row in range(_HEIGHT)]
    return [*lines, f"{'':{_LABEL}} {names[0]}{names[-1]:>{max(1, _WIDTH - len(names[0]))}}"]


def _risen(before: int | None, row: int | None) -> range:
    """The rows that a line passes which goes on to this one."""
    if row is None:
        return range(0)
    beside = row if before is None else before + (row > before) - (row < before)
    return range(min(row, beside), max(row, beside) + 1)


def _label(value: float | None) -> str:
    return f"{'' if value is None else f'{value:.3f}':>{_LABEL}}"


def _text(cells: Sequence[int]) -> str:
    return "".join(chr(_BLANK | bits) for bits in cells).replace(chr(_BLANK), " ").rstrip()
