"""What a value of a spread was made of: the publication that stood of each price, and the formula with its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import polars as pl

from pipeline import calendar
from pipeline.flags import Flag
from pipeline.schema import INSTANT, conform
from pipeline.spreads.calendars import Calendars
from pipeline.spreads.cells import CELLS
from pipeline.spreads.definitions import Definition, Leg
from pipeline.spreads.derive import derive, seen_of, winning
from pipeline.spreads.parts import parts
from pipeline.spreads.plan import Plan, plan_of

_MOST_WRITTEN: Final = 4  # prices of a leg that stand in the formula one by one
LINEAGE: Final = (
    "leg", "instrument", "start", "price", "energy", "congestion", "loss", "flags", "tenant", "version", "known_at",
    "topic_id", "partition", "offset", "row",
)  # fmt: skip
_VALUES: Final = ["price", "energy", "congestion", "loss", "flags"]


@dataclass(frozen=True, slots=True)
class Explained:
    """`value`: the derived publication that stands (`pipeline.spreads.derive.DERIVED`), no row where there is none.

    `legs`: `LINEAGE` of the prices that are there, in the order of the legs; `missing`: (instrument, start) of others.
    """

    value: pl.DataFrame
    legs: pl.DataFrame
    missing: list[tuple[str, datetime]]
    written: str | None


def needed(definition: Definition, calendars: Calendars, start: datetime) -> tuple[Plan, pl.DataFrame, pl.DataFrame]:
    """The plan of that definition alone, the interval (`CELLS`) that begins at `start`, and its `PARTS`.

    No row where no interval of the definition begins there.
    """
    alone = plan_of([definition], calendars)
    cells = pl.DataFrame({"number": [0], "start": [start]}, {"number": pl.UInt32(), "start": INSTANT})
    zoned = pl.col("start").dt.convert_time_zone(definition.zone)
    if definition.kind.interval == "1d":
        first, end = calendar.borders(zoned.dt.date(), definition.zone)
    else:
        first, end = pl.col("start").dt.truncate("1h"), pl.col("start").dt.offset_by("1h")
    dated = cells.filter(pl.col("start") == first).with_columns(end=end, day=zoned.dt.date())
    found = conform(dated, CELLS)
    return alone, found, parts(alone, found)


def explained(plan: Plan, cells: pl.DataFrame, publications: pl.DataFrame) -> Explained:
    """Of one definition's plan and one of its intervals, as `needed` gives them."""
    wanted = parts(plan, cells)
    order = ["leg", "at"]
    now = _standing(winning(seen_of(wanted, publications)))
    value = derive(plan, cells, publications).sort("known_at", "topic_id", "partition", "offset").tail(1)
    absent = wanted.join(now, on=["instrument", "at", "leg"], how="anti").sort(order)
    legs = now.sort(order).with_columns(start="at").select(LINEAGE)
    missing = absent.select("instrument", "at").rows()
    written = None if missing or value.is_empty() else _written(plan.definitions[0], legs, value)
    return Explained(value, legs, missing, written)


def _standing(won: pl.DataFrame) -> pl.DataFrame:
    """Of each price the latest publication that changed it."""
    of = ["leg", "instrument", "at"]
    same = [pl.col(name).eq_missing(pl.col(name).shift().over(of)) for name in [*_VALUES, "tenant"]]
    first = pl.int_range(pl.len()).over(of) == 0
    return won.filter(first | ~pl.all_horizontal(same)).group_by(of, maintain_order=True).last()


def _written(definition: Definition, legs: pl.DataFrame, value: pl.DataFrame) -> str:
    """`90.94 − 7 × 6.85 = 42.99`."""
    sides = [_side(leg, _prices(legs, number)) for number, leg in enumerate(definition.legs)]
    result = "no value" if value["flags"][0] & Flag.NO_VALUE else plain(value["price"][0])
    if definition.kind.ratio:
        return f"{sides[0]} ÷ {sides[1]} = {result}"
    signs = ["−" if leg.weight < 0 else "+" for leg in definition.legs]
    first = f"−{sides[0]}" if signs[0] == "−" else sides[0]
    return f"{first} {signs[1]} {sides[1]} = {result}"


def _side(leg: Leg, prices: Sequence[Decimal]) -> str:
    size = abs(leg.weight * leg.factor)
    if len(prices) == 1:
        text = f"({plain(prices[0])})" if prices[0] < 0 else plain(prices[0])
    elif len(prices) <= _MOST_WRITTEN:
        text = f"mean({', '.join(plain(price) for price in prices)})"
    else:
        text = f"mean of {len(prices)} prices from {plain(min(prices))} to {plain(max(prices))}"
    return text if size == 1 else f"{plain(size)} × {text}"


def _prices(legs: pl.DataFrame, number: int) -> list[Decimal]:
    return legs.filter(pl.col("leg") == number)["price"].to_list()


def plain(amount: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
