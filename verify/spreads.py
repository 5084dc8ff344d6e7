"""Spreads by brute force: every interval of every definition, replayed message by message in plain Python.

Nothing of the service that derives them is used: this file must stay readable as the plain statement of the formulas.
Prices are integers of 10^-9, instants are microseconds; a value is an exact fraction that is rounded once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from verify.model import Difference, Publication
from verify.spread_parts import Calendar, Definition, Part, parts_of, starts_of

_E9: Final = 10**9
_VALID, _NEGATIVE, _OUT_OF_RANGE, _LATE, _MISMATCH, _NO_VALUE = 1, 2, 4, 16, 128, 512
_HANDED_ON: Final = _OUT_OF_RANGE | _MISMATCH
_DAY_US: Final = 86_400 * 1_000_000
_LATENESS_US: Final = {"1h": 4 * _DAY_US, "1d": 14 * _DAY_US}
_UNUSABLE: Final = 64 | _NO_VALUE
_PUBLIC: Final = "public"

Position = tuple[int, str, int, int]  # known_at, topic id, partition, offset


class Value(NamedTuple):
    """A derived publication, without its position."""

    price: int
    parts: tuple[int | None, int | None, int | None]  # energy, congestion, loss
    flags: int


Derived = dict[tuple[int, Position], Value]  # by start and position
Series = Mapping[int, Sequence[Publication]]  # publications by stamp
Read = Callable[[str, str], Series]  # of a tenant and an instrument


@dataclass(frozen=True, slots=True)
class _Seen:
    own: bool
    publication: Publication


def expected(definition: Definition, read: Read, calendar: Calendar) -> Derived:
    """Every publication that must be stored of the definition's intervals."""
    found: Derived = {}
    for start, end in starts_of(definition, calendar, lambda name: _stamps(definition, read, name)):
        parts = parts_of(definition, start, end, calendar)
        if parts is not None:
            found |= {(start, at): value for at, value in _replayed(definition, end, parts, read)}
    return found


def _stamps(definition: Definition, read: Read, instrument: str) -> set[int]:
    return {stamp for tenant in {definition.tenant, _PUBLIC} for stamp in read(tenant, instrument)}


def _replayed(definition: Definition, end: int, parts: Sequence[Part], read: Read) -> Iterator[tuple[Position, Value]]:
    """The value at each message at which all parts have been there."""
    messages: dict[Position, list[tuple[int, _Seen]]] = {}
    for number, part in enumerate(parts):
        for seen in _published(definition.tenant, part, read):
            messages.setdefault(seen.publication.known_order[:4], []).append((number, seen))
    now: dict[int, _Seen] = {}
    for at in sorted(messages):
        for number, seen in sorted(messages[at], key=lambda each: each[1].publication.known_order):
            if number not in now or _stands(now[number], seen):
                now[number] = seen
        if len(now) == len(parts):
            yield at, _value(definition, at[0] > end + _LATENESS_US[definition.interval], parts, now)


def _published(tenant: str, part: Part, read: Read) -> Iterator[_Seen]:
    for whose in sorted({tenant, _PUBLIC}):
        for publication in read(whose, part.instrument).get(part.stamp, ()):
            yield _Seen(whose == tenant, publication)


def _stands(before: _Seen, after: _Seen) -> bool:
    """The tenant's own price stands before a public one; else the highest version does, and of those the later one."""
    return (after.own, after.publication.version) >= (before.own, before.publication.version)


def _value(definition: Definition, late: bool, parts: Sequence[Part], now: Mapping[int, _Seen]) -> Value:  # noqa: FBT001
    current = [now[number].publication for number in range(len(parts))]
    price = _price(definition, parts, [each.price for each in current])
    delay = _LATE if late else 0
    if price is None or any(each.flags & _UNUSABLE for each in current):
        return Value(0, (None, None, None), _NO_VALUE | delay)
    handed = 0
    for each in current:
        handed |= each.flags & _HANDED_ON
    sides = tuple(_side(definition, parts, [each.parts[place] for each in current]) for place in range(3))
    negative = _NEGATIVE if price < 0 else 0
    return Value(price, (sides[0], sides[1], sides[2]), _VALID | negative | handed | delay)


def _price(definition: Definition, parts: Sequence[Part], prices: Sequence[int]) -> int | None:
    if not definition.ratio:
        return _rounded(_weighed(parts, prices))
    gas = _weighed([part for part in parts if part.leg == 1], _of_leg(parts, prices, 1))
    power = _weighed([part for part in parts if part.leg == 0], _of_leg(parts, prices, 0))
    return _rounded(power / gas * _E9) if gas > 0 else None


def _of_leg(parts: Sequence[Part], prices: Sequence[int], leg: int) -> list[int]:
    return [price for part, price in zip(parts, prices, strict=True) if part.leg == leg]


def _side(definition: Definition, parts: Sequence[Part], values: Sequence[int | None]) -> int | None:
    there = [value for value in values if value is not None]
    if not definition.has_parts or len(there) < len(values):
        return None
    return _rounded(_weighed(parts, there))


def _weighed(parts: Iterable[Part], values: Iterable[int]) -> Fraction:
    return sum((part.weight * value for part, value in zip(parts, values, strict=True)), Fraction(0))


def _rounded(value: Fraction) -> int | None:
    """Half to even; None where it is no price any more."""
    number = round(value)
    return number if abs(number) < _E9 * _E9 else None


def differences(name: str, wanted: Derived, stored: Iterable[Publication]) -> Iterator[Difference]:
    """None missing, none extra but those that say that there is no value (withdrawn), every value equal."""
    found: Derived = {}
    for each in stored:
        energy, congestion, loss = each.parts[:3]
        found[each.start, each.known_order[:4]] = Value(each.price, (energy, congestion, loss), each.flags)
    for key in sorted(wanted.keys() | found.keys()):
        if wanted.get(key) != found.get(key) and (key in wanted or not found[key].flags & _NO_VALUE):
            where = f"value at {key[0]} us of {name}, published at {key[1]}"
            yield Difference("spread", where, str(wanted.get(key, "none")), str(found.get(key, "none")))


def grouped(publications: Iterable[Publication]) -> Series:
    """By stamp."""
    found: dict[int, list[Publication]] = {}
    for each in publications:
        found.setdefault(each.ts, []).append(each)
    return found
