"""Blocks of hours in which power is traded: which hours are peak in a market, and what follows from that.

Written down (`DEFAULT`; sources in `db/reference/peak_hours.csv`) is a market's `peak` as it is traded there, and
MISO's `tariff`. Of the hours of the day and the holidays of `peak` follow

| block | hours |
|---|---|
| `atc` | all |
| `offpeak` | those that are not `peak` |
| `5x16`, `6x16` | the hours of the day of `peak`, Mondays to Fridays or to Saturdays, on no holiday |
| `2x16` | the hours of the day of `peak` on all other days |
| `7x8` | the other hours of every day |

Hours and days are local ones of the block's own zone, which MISO's market is not in: its blocks are traded in Eastern
prevailing time. CAISO's day-ahead prices of 2020-01-01, a holiday, show both sides of its `peak` in the prices of
`TH_*_GEN_ONPEAK-APND` and `_OFFPEAK-APND`, nodes that are priced in `peak` or `offpeak` alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final, cast

import polars as pl

from pipeline import holidays
from pipeline.errors import DataProcessingError

Block = str
ATC: Final[Block] = "atc"
PEAK: Final[Block] = "peak"
DERIVED: Final[tuple[Block, ...]] = ("offpeak", "5x16", "6x16", "2x16", "7x8")

NAMED: Final = r"^caiso\.[a-z0-9_]+\..*_(ON|OFF)PEAK(-APND)?$"
"""A pattern of RE2: the instruments that are priced in the hours of a block alone."""
_FRIDAY: Final = 5
_NAMES: Final[Mapping[str, Block]] = MappingProxyType({"ON": PEAK, "OFF": "offpeak"})


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours ENDING `first_hour` to `last_hour` of the days `first_day` to `last_day` (ISO: Monday is 1) in local time
    of `zone`, on no holiday of the calendar `holidays` (`pipeline.holidays`; null: of none)."""

    zone: str
    first_hour: int
    last_hour: int
    first_day: int
    last_day: int
    holidays: str | None


Blocks = Mapping[tuple[str, Block], Hours]
"""What is written down, by market and block."""

_EASTERN: Final = Hours("America/New_York", 8, 23, 1, 5, "nerc")
DEFAULT: Final[Blocks] = MappingProxyType(
    {
        ("pjm", PEAK): _EASTERN,
        ("nyiso", PEAK): _EASTERN,
        ("miso", PEAK): _EASTERN,
        ("miso", "tariff"): Hours("Etc/GMT+5", 7, 22, 1, 5, "nerc"),
        ("ercot", PEAK): Hours("America/Chicago", 7, 22, 1, 5, "nerc"),
        ("caiso", PEAK): Hours("America/Los_Angeles", 7, 22, 1, 6, "nerc"),
    }
)


def names(market: str) -> tuple[Block, ...]:
    """The blocks of a market; none where it has no peak hours."""
    written = tuple(block for of, block in DEFAULT if of == market)
    return (ATC, *written, *DERIVED) if PEAK in written else ()


def zone_of(block: Block, market: str) -> str:
    """Whose local hours and days the block's are. Raises `DataProcessingError` where the market has no such block."""
    return hours_of(block, market).zone


def hours_of(block: Block, market: str) -> Hours:
    """What a block follows from. Raises `DataProcessingError` where the market has no such block."""
    there = names(market)
    if block in there:
        return DEFAULT.get((market, block)) or DEFAULT[market, PEAK]
    fix = f"Write one of {', '.join(there)}." if there else f"Peak hours are known of {', '.join(markets())}."
    raise DataProcessingError(f"{market} has no block {block!r}. {fix}", "api", {"market": market, "block": block})


def markets() -> list[str]:
    """The markets that have blocks."""
    return sorted({market for market, block in DEFAULT if block == PEAK})


def block_of(instrument: str) -> Block | None:
    """The block in whose hours alone an instrument is priced; None: it is priced in all."""
    named = re.match(NAMED, instrument)
    return _NAMES[named[1]] if named else None


def within(starts: pl.Series, block: Block, market: str) -> pl.Series:
    """Boolean: the hour that holds this instant (UTC) lies in the block.

    Raises `DataProcessingError` where the market has no such block; `atc` is one of every market.
    """
    if block == ATC:
        return starts.is_not_null()
    of = hours_of(block, market)
    local = starts.dt.convert_time_zone(of.zone)
    free = local.dt.date().is_in(_holidays(local, of).implode())
    day = pl.select(pl.when(free).then(0).otherwise(local.dt.weekday())).to_series()
    return pl.Series(mask(block, of)).gather(day.cast(pl.Int32) * 24 + local.dt.hour())


def mask(block: Block, of: Hours) -> list[bool]:
    """Whether each hour lies in the block: 24 of a holiday, by their beginning, then those of Monday to Sunday."""
    return [_member(block, of, day, hour) for day in range(8) for hour in range(24)]


def hours(spans: pl.DataFrame, block: Block, market: str) -> pl.DataFrame:
    """`start, hour`: the beginnings of the block's hours in each [`start`, `end`) of full hours (all UTC)."""
    return parts(spans, block, market, timedelta(hours=1)).select("start", hour="part")


def parts(spans: pl.DataFrame, block: Block, market: str, width: timedelta) -> pl.DataFrame:
    """`start, end, part`: the beginnings of the parts that lie in the block, of each [`start`, `end`) of full ones."""
    every = pl.datetime_ranges("start", "end", width, closed="left").alias("part")
    found = spans.select("start", "end", every).explode("part").drop_nulls()
    return found.filter(within(found["part"], block, market))


def _member(block: Block, of: Hours, day: int, hour: int) -> bool:
    daytime = of.first_hour <= hour + 1 <= of.last_hour
    own = daytime and of.first_day <= day <= of.last_day
    working = 1 <= day <= _FRIDAY
    derived = {
        "offpeak": not own,
        "5x16": daytime and working,
        "6x16": daytime and 1 <= day <= _FRIDAY + 1,
        "2x16": daytime and not working,
        "7x8": not daytime,
    }
    return derived.get(block, own)


def _holidays(local: pl.Series, of: Hours) -> pl.Series:
    """The holidays of the years of these instants."""
    first, last = (cast("int | None", each) for each in (local.dt.year().min(), local.dt.year().max()))
    if of.holidays is None or first is None or last is None:
        return pl.Series([], dtype=pl.Date)
    return pl.Series(sorted(holidays.between(of.holidays, first, last)), dtype=pl.Date)
