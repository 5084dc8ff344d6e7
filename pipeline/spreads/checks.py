"""What is wrong with a definition of a spread, in sentences that say what to write instead."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pipeline import blocks, products
from pipeline.bars import INTERVALS
from pipeline.errors import DataProcessingError
from pipeline.spreads.definitions import Definition, Leg, of_row
from pipeline.spreads.kinds import KINDS, MARKET
from pipeline.zones import is_zone

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,99}")
_LARGEST, _FINEST = 10**6, 1000  # of a coefficient: beyond them sums of prices would not fit 128 bits
_SHIFTED: Final = ("flow_day", "gas_day")
_LEGS: Final = 2


def check(row: Mapping[str, object]) -> list[str]:
    """The problems of a row of `spreads`, each naming the field, the value and the fix; none: it is good."""
    kind, _, name = str(row["spread"] or "").partition(".")
    if kind not in KINDS or not _NAME.fullmatch(name):
        kinds = ", ".join(KINDS)
        return [f"spread: {row['spread']!r} is not {{kind}}.{{name}}. Kinds: {kinds}; names: a-z, 0-9 and _."]
    try:
        definition = of_row(row)
    except DataProcessingError as error:
        return [error.message]
    return list(_problems(definition))


def change_problem(old: Mapping[str, object], new: Mapping[str, object] | None) -> str | None:
    """Why a definition that has values may not become another (null: be removed), or null.

    It may only end: `valid_to` may be given where there was none.
    """
    fixed = ("tenant", "spread", "valid_from", "zone", "unit", "legs")
    same = new is not None and all(old[name] == new[name] for name in fixed)
    if same and new is not None and old["valid_to"] in {None, new["valid_to"]}:
        return None
    return (
        f"spread: {old['spread']} has values, so its definition stays. Give this row a valid_to where it has none, and "
        "write what follows as a row of its own that begins on that day."
    )


def _problems(definition: Definition) -> Iterator[str]:
    if definition.valid_from and definition.valid_to and definition.valid_from >= definition.valid_to:
        yield f"valid_to: {definition.valid_to} does not come after valid_from {definition.valid_from}."
    if not is_zone(definition.zone):
        yield f"zone: {definition.zone!r} is no time zone. Write a name such as America/New_York or UTC."
    if len(definition.legs) != _LEGS:
        yield f"legs: {len(definition.legs)} of them. A spread has two."
        return
    wrong = [problem for number, leg in enumerate(definition.legs) for problem in _of_leg(definition, leg, number)]
    yield from wrong
    if not wrong:
        yield from _together(definition)


def _of_leg(definition: Definition, leg: Leg, number: int) -> Iterator[str]:
    where, kind = f"legs[{number}]", definition.kind
    if (leg.instrument is None) == (leg.contract is None) or "." not in leg.source:
        yield f"{where}: name an instrument ({{market}}.{{product}}.{{location}}) or a contract (henry_hub.NGH27)."
        return
    if leg.market == MARKET:
        yield f"{where}.instrument: {leg.source} is a spread itself. Write the prices that it is made of as legs."
        return
    if leg.contract and kind.name != "calendar":
        yield f"{where}.contract: {leg.contract}: only a calendar spread has contracts. Name an instrument."
    if leg.align not in kind.aligns:
        yield f"{where}.align: {leg.align} is not for {kind.name}. Choose one of {', '.join(kind.aligns)}."
        return
    if (leg.align == "block") != (leg.block is not None):
        yield f"{where}.block: {leg.block!r}. A leg with align `block` names its block, e.g. peak, and no other does."
    elif leg.block:
        yield from _block(definition, leg, where)
    yield from _coefficient(leg, where, ratio=kind.ratio)
    yield from _interval(definition, leg, where)


def _block(definition: Definition, leg: Leg, where: str) -> Iterator[str]:
    known = blocks.names(leg.market)
    if leg.block not in known:
        yield f"{where}.block: {leg.block} is no block of {leg.market}. Choose one of {', '.join(known) or 'none'}."
    elif (zone := blocks.zone_of(str(leg.block), leg.market)) != definition.zone:
        yield f"zone: {definition.zone}. The hours of {leg.block} of {leg.market} are those of {zone}: write it."


def _coefficient(leg: Leg, where: str, *, ratio: bool) -> Iterator[str]:
    exact = leg.coefficient
    if exact == 0 or abs(exact.numerator) > _LARGEST or exact.denominator > _FINEST:
        yield f"{where}: weight × factor is {leg.weight * leg.factor}. Not 0, below 1,000, with at most 3 decimals."
    if ratio and exact != 1:
        yield f"{where}: weight × factor is {leg.weight * leg.factor}. A heat rate is power ÷ gas: leave both at 1."


def _interval(definition: Definition, leg: Leg, where: str) -> Iterator[str]:
    """Whether the leg's prices can be aligned with intervals of the spread."""
    product, wanted = products.product(leg.market, leg.product), definition.kind.interval
    if product.by_end or product.irregular:
        yield f"{where}: {leg.source} has no fixed intervals. Take a product with them, e.g. {leg.market}.rt_hourly."
    elif wanted == "1d" and leg.align == "interval":
        if product.interval is not None:
            yield f"{where}: {leg.source} has prices of {product.interval}. A {definition.kind.name} has daily ones."
        if definition.zone != "UTC":
            yield f"zone: {definition.zone}. Days of settlements and spot prices are those of UTC: write UTC."
    elif leg.align in _SHIFTED:
        if product.interval is not None or leg.product != "spot":
            yield f"{where}.align: {leg.align} is for spot gas of trade days, and {leg.source} is none."
    elif not _fits(product.interval, leg.align):
        fix = "`interval` takes hours, `mean` 5m and 15m, `block` all of them"
        yield f"{where}.align: {leg.align} of {leg.source}, whose interval is {product.interval}: {fix}."


def _fits(interval: str | None, align: str) -> bool:
    if interval is None:
        return False
    return align == "block" or (align == "interval") == (interval == "1h")


def step_s(leg: Leg) -> int:
    """The length in seconds of the leg's own intervals; 0: days."""
    interval = products.product(leg.market, leg.product).interval
    return (INTERVALS[interval].seconds or 0) if interval else 0


def _together(definition: Definition) -> Iterator[str]:
    first, second = definition.legs
    kind = definition.kind
    if kind.name in _PAIRS and not _PAIRS[kind.name](first, second):
        fix = _PAIR_TEXT[kind.name]
        yield f"legs: {first.source} and {second.source} make no {kind.name}, which is made of {fix}."
    if not kind.ratio and (first.weight > 0) == (second.weight > 0):
        yield f"legs: weights {first.weight} and {second.weight}. A spread is a difference: one is above 0, one below."
    units = [_unit(first), _unit(second)]
    for number, unit in enumerate(units):
        if unit is None:
            yield f"legs[{number}].unit: {definition.legs[number].source} has no known unit. Give it, e.g. USD/MMBtu."
    if None not in units:
        yield from _units(definition, str(units[0]), str(units[1]))


def _units(definition: Definition, first: str, second: str) -> Iterator[str]:
    unit = _divided(first, second) if definition.kind.ratio else first
    if not definition.kind.ratio and first != second:
        yield (
            f"legs: units {first} and {second} do not go together. Give a leg a factor with its factor_unit, "
            "e.g. 7 MMBtu/MWh."
        )
    elif unit != definition.unit:
        yield f"unit: {definition.unit!r}, but the legs give {unit}. Write {unit}."


def _unit(leg: Leg) -> str | None:
    """The unit of weight × factor × price; null where it is not known."""
    unit = products.market(leg.market).unit or leg.unit
    if unit is None or leg.factor_unit is None:
        return unit
    return _multiplied(unit, leg.factor_unit)


def _multiplied(unit: str, factor: str) -> str:
    """`USD/MMBtu` × `MMBtu/MWh` is `USD/MWh`; what does not cancel is written out."""
    above, _, below = unit.partition("/")
    over, _, under = factor.partition("/")
    return f"{above}/{under}" if below == over else f"{unit}·{factor}"


def _divided(first: str, second: str) -> str:
    """`USD/MWh` ÷ `USD/MMBtu` is `MMBtu/MWh`."""
    above, _, below = first.partition("/")
    over, _, under = second.partition("/")
    return f"{under}/{below}" if above == over else f"{first}÷{second}"


_Pair = Callable[[Leg, Leg], bool]
_PAIRS: Final[Mapping[str, _Pair]] = {
    "dart": lambda da, rt: da.market == rt.market and products.product(da.market, da.product).forward,
    "basis": lambda node, hub: (node.market, node.product) == (hub.market, hub.product),
    "hub": lambda one, other: one.market != other.market,
    "calendar": lambda near, far: near.market == far.market and near.product == far.product == "futures",
    "peak": lambda peak, off: peak.instrument == off.instrument,
}
_PAIR_TEXT: Final[Mapping[str, str]] = {
    "dart": "day-ahead and real-time prices of one market",
    "basis": "one product of one market",
    "hub": "hubs of two markets (within one, it is a basis)",
    "calendar": "futures of one market",
    "peak": "one instrument twice",
}
