"""Prices of deliveries as a curve takes them: in which order they count, and the elementary pieces between them.

Precedence: a shorter delivery goes before a longer one (month, quarter, season, year), of one delivery a settlement
before a trade, a quote and a vendor's last price. What is then still equal goes by beginning, name and price, so that
the order in which the inputs come is no matter. An input that comes twice counts once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from pipeline.errors import DataProcessingError

PRECEDENCE: Final = ("settle", "trade", "quote", "last")
Weights = Mapping[date, int] | Mapping[date, Fraction]
"""How much each day of delivery weighs in the price of a contract, in any unit; 0 where nothing is delivered."""

_DAY: Final = timedelta(days=1)


class Input(NamedTuple):
    """The price of a delivery of the local days [`start`, `end`); `tick`: the smallest step of its price."""

    name: str
    start: date
    end: date
    price: Decimal
    kind: str
    tick: Decimal


class Stretch(NamedTuple):
    """Days [`start`, `end`) of one price, what they weigh together (above 0), and one of the days that weigh."""

    start: date
    end: date
    weight: Fraction
    day: date


def ordered(inputs: Iterable[Input]) -> list[Input]:
    """Each input once, in precedence. Raises `DataProcessingError` for one that no curve can take."""
    distinct = set(inputs)
    for each in distinct:
        _require(each)
    return sorted(distinct, key=_place)


def stretches(inputs: Sequence[Input], weights: Weights) -> list[Stretch]:
    """The days of the inputs, cut wherever one of them begins or ends, in order.

    Days that weigh nothing belong to the stretch before them, else to the one after. Raises `DataProcessingError` for a
    day without a weight, or an input that weighs nothing.
    """
    covered = {day for each in inputs for day in _days(each.start, each.end)}
    borders = {border for each in inputs for border in (each.start, each.end)}
    first = [day for day in sorted(covered) if day in borders or day - _DAY not in covered]
    last = sorted(day + _DAY for day in covered if day + _DAY in borders or day + _DAY not in covered)
    return _joined([_stretch(start, end, weights) for start, end in zip(first, last, strict=True)])


def within(each: Input, pieces: Sequence[Stretch]) -> dict[int, Fraction]:
    """The part of an input's weight that lies in each stretch, by the stretch's place."""
    held = {place: of.weight for place, of in enumerate(pieces) if each.start <= of.day < each.end}
    total = sum(held.values(), Fraction(0))
    if not total:
        raise _refused(each, "delivers on no day that weighs", "Give a delivery with hours of the curve's block.")
    return {place: weight / total for place, weight in held.items()}


def _place(each: Input) -> tuple[timedelta, int, date, str, Decimal, Decimal]:
    return each.end - each.start, PRECEDENCE.index(each.kind), each.start, each.name, each.price, each.tick


def _days(start: date, end: date) -> Iterable[date]:
    return (start + at * _DAY for at in range((end - start).days))


def _stretch(start: date, end: date, weights: Weights) -> Stretch:
    days = list(_days(start, end))
    bad = [day for day in days if weights.get(day, -1) < 0]
    if bad:
        raise DataProcessingError(
            "A day of delivery has no weight of 0 or more. Give one for every day of every input.",
            "aggregate", {"field": "weights", "day": bad[0].isoformat()},
        )  # fmt: skip
    return Stretch(start, end, sum((Fraction(weights[day]) for day in days), Fraction(0)), start)


def _joined(cut: Sequence[Stretch]) -> list[Stretch]:
    """Without stretches that weigh nothing."""
    left: list[Stretch] = []
    for two in cut:
        one = left[-1] if left else None
        if one is not None and one.end == two.start and not (one.weight and two.weight):
            day = one.day if one.weight else two.day
            left[-1] = Stretch(one.start, two.end, one.weight + two.weight, day)
        else:
            left.append(two)
    return [each for each in left if each.weight]


def _require(each: Input) -> None:
    if each.start >= each.end:
        raise _refused(each, "ends before it begins", "Give the first day, and the first one after the last.")
    if each.kind not in PRECEDENCE:
        raise _refused(each, f"is of no known kind ({each.kind!r})", f"Give one of {', '.join(PRECEDENCE)}.")
    if not each.price.is_finite() or not each.tick.is_finite() or each.tick < 0:
        raise _refused(each, f"costs {each.price} in ticks of {each.tick}", "Give finite numbers, no tick below 0.")


def _refused(each: Input, what: str, fix: str) -> DataProcessingError:
    context = {"start": each.start.isoformat(), "end": each.end.isoformat()}
    return DataProcessingError(f"The input {each.name} {what}. {fix}", "aggregate", context)
