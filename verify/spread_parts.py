"""What a spread is made of, in plain Python: its definition, its intervals, and the prices of each of them."""

import csv
import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from db import reference

PEAK_HOURS: Final = Path(reference.__file__).parent / "peak_hours.csv"
HOLIDAYS: Final = Path(reference.__file__).parent / "data" / "holidays.csv"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_CENTRAL: Final = ZoneInfo("America/Chicago")
_STEP: Final = {"rt_15min": 15, "hasp_15min": 15, "rtc_15min": 15, "rt_5min": 5, "rt_exante_5min": 5}  # minutes
_DAILY: Final = ("gas_basis", "calendar", "peak")


class Part(NamedTuple):
    """One price that an interval needs: of a leg, by instrument and stamp, with its exact weight."""

    leg: int
    instrument: str
    stamp: int
    weight: Fraction


class Block(NamedTuple):
    """The peak hours of a market: hours ending, days of the week."""

    zone: str
    first_hour: int
    last_hour: int
    first_day: int
    last_day: int


def peaks() -> dict[str, Block]:
    """The peak hours of each market, from the list of sources."""
    with PEAK_HOURS.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["block"] == "peak"]
    hours = ("first_hour", "last_hour", "first_day", "last_day")
    return {row["market"]: Block(row["zone"], *(int(row[name]) for name in hours)) for row in rows}


def off_peak_days() -> frozenset[date]:
    """The NERC holidays, from the list of sources."""
    with HOLIDAYS.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["calendar"] == "nerc"]
    return frozenset(date.fromisoformat(row["day"]) for row in rows)


@dataclass(frozen=True)
class Calendar:
    """Trading holidays, NERC holidays, last trades (market -> root -> [(last trade, contract)]) and peak blocks."""

    trading: frozenset[date]
    nerc: frozenset[date]
    contracts: Mapping[tuple[str, str], Sequence[tuple[date, str]]]
    peaks: Mapping[str, Block]

    def traded(self, flow: date) -> date:
        """The last trade day before a flow date."""
        day = flow - _DAY
        while day.isoweekday() > 5 or day in self.trading:
            day -= _DAY
        return day

    def position(self, market: str, contract: str, day: date) -> str | None:
        """The nearby instrument of a contract on a day."""
        for (of, root), listed in self.contracts.items():
            names = [name for _, name in listed]
            if of == market and contract in names:
                front = bisect_left([last for last, _ in listed], day)
                k = names.index(contract) - front + 1
                return f"{market}.futures.{root}{k:02}" if k >= 1 else None
        return None

    def is_peak(self, market: str, instant: datetime) -> bool:
        block = self.peaks[market]
        local = instant.astimezone(ZoneInfo(block.zone))
        in_week = block.first_day <= local.isoweekday() <= block.last_day and local.date() not in self.nerc
        return in_week and block.first_hour <= local.hour + 1 <= block.last_hour


@dataclass(frozen=True)
class Definition:
    """A row of the table `spreads`."""

    tenant: str
    spread: str
    valid_from: date | None
    valid_to: date | None
    zone: str
    legs: str

    @property
    def kind(self) -> str:
        return self.spread.split(".", 1)[0]

    @property
    def interval(self) -> str:
        return "1d" if self.kind in _DAILY else "1h"

    @property
    def ratio(self) -> bool:
        return self.kind == "heat_rate"

    @property
    def has_parts(self) -> bool:
        return self.kind == "basis"

    @cached_property
    def written(self) -> list[dict[str, Any]]:
        return json.loads(self.legs)

    def holds(self, start: int) -> bool:
        day = at(start).astimezone(ZoneInfo(self.zone)).date()
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


def at(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def us(instant: datetime) -> int:
    return (instant - _EPOCH) // _US


def starts_of(
    definition: Definition, calendar: Calendar, stamps: Callable[[str], set[int]]
) -> Iterator[tuple[int, int]]:
    """The intervals [start, end) at which the first leg has a price."""
    leg = definition.written[0]
    first = _nearby_stamps(leg["contract"], calendar, stamps) if "contract" in leg else stamps(leg["instrument"])
    found = {_interval(definition, at(each)) for each in first}
    yield from ((us(start), us(end)) for start, end in sorted(found) if definition.holds(us(start)))


def _nearby_stamps(contract: str, calendar: Calendar, stamps: Callable[[str], set[int]]) -> set[int]:
    market, name = contract.split(".")
    every = calendar.contracts.items()
    roots = [root for (of, root), listed in every if of == market and name in {contract for _, contract in listed}]
    return {stamp for root in roots for k in range(1, 100) for stamp in stamps(f"{market}.futures.{root}{k:02}")}


def _interval(definition: Definition, instant: datetime) -> tuple[datetime, datetime]:
    if definition.interval == "1h":
        hour = instant.replace(minute=0, second=0, microsecond=0)
        return hour, hour + _HOUR
    zone = ZoneInfo(definition.zone)
    day = instant.astimezone(zone).date()
    return _midnight(day, zone), _midnight(day + _DAY, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def parts_of(definition: Definition, start: int, end: int, calendar: Calendar) -> list[Part] | None:
    """Every price of an interval; None where a leg can have none."""
    found: list[Part] = []
    for number, leg in enumerate(definition.written):
        prices = _prices(definition, leg, at(start), at(end), calendar)
        if not prices:
            return None
        weight = Fraction(leg.get("weight", "1")) * Fraction(leg.get("factor", "1")) / len(prices)
        found += [Part(number, name, us(stamp), weight) for name, stamp in prices]
    return found


def _prices(
    definition: Definition, leg: Mapping[str, Any], start: datetime, end: datetime, calendar: Calendar
) -> list[tuple[str, datetime]]:
    align, name = leg.get("align", "interval"), leg.get("instrument", "")
    local = start.astimezone(ZoneInfo(definition.zone)).date()
    if "contract" in leg:
        market, _, contract = leg["contract"].partition(".")
        nearby = calendar.position(market, contract, local)
        return [(nearby, start)] if nearby else []
    if align == "interval":
        return [(name, start)]
    if align == "flow_day":
        return [(name, _midnight(calendar.traded(local), ZoneInfo("UTC")))]
    if align == "gas_day":
        wall = start.astimezone(_CENTRAL).replace(tzinfo=None) - 9 * _HOUR
        return [(name, _midnight(calendar.traded(wall.date()), ZoneInfo("UTC")))]
    step = timedelta(minutes=_STEP.get(name.split(".")[1], 60))
    every = [start + number * step for number in range((end - start) // step)]
    if align == "mean":
        return [(name, each) for each in every]
    peak = leg["block"] == "peak"
    return [(name, each) for each in every if calendar.is_peak(name.split(".")[0], each) == peak]
