"""Bars by the manual's definitions, in exact fractions, from plain rows. Nothing here knows the engine."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

ADVISORY = 64
WIDTHS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600}
Row = dict[str, Any]


@dataclass
class Price:
    """One identity after all its publications."""

    row: Row
    changes: list[datetime]
    first_known: datetime


def prices(rows: Iterable[Row]) -> list[Price]:
    """Replay every identity: in known order the highest version wins, an equal value changes nothing."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["ts"], row["source_rank"], row["event_id"]].append(row)
    return [_replay(group) for group in groups.values()]


def _replay(group: list[Row]) -> Price:
    group = sorted(group, key=lambda r: (r["known_at"], r["topic_id"], r["partition"], r["offset"], r["row"]))
    best = Price(group[0], [group[0]["known_at"]], group[0]["known_at"])
    version = group[0]["version"]
    for row in group[1:]:
        if row["version"] >= version:
            version = row["version"]
            if _value(row) != _value(best.row):
                best.row = row
                best.changes.append(row["known_at"])
    return best


def _value(row: Row) -> list[object]:
    names = ("price", "energy", "congestion", "loss", "ghg", "volume", "bid", "ask")
    return [row[name] for name in names] + [bool(row["flags"] & ADVISORY)]


def bounds(interval: str, at: datetime, zone: str) -> tuple[datetime, datetime]:
    """The bar [start, end) that holds an instant."""
    if interval in WIDTHS:
        width = WIDTHS[interval]
        start = datetime.fromtimestamp(int(at.timestamp()) // width * width, UTC)
        return start, start + timedelta(seconds=width)
    day = at.astimezone(ZoneInfo(zone)).date()
    first, last = (
        datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) for d in (day, day + timedelta(1))
    )
    return first, last


def bars(rows: Iterable[Row], intervals: Iterable[str], zone: str, grace_s: int) -> dict[tuple[str, datetime], Row]:
    """Every bar that holds a usable price, by interval and start."""
    made: dict[tuple[str, datetime], Row] = {}
    every = prices(rows)
    for interval in intervals:
        members: dict[tuple[datetime, datetime], list[Price]] = defaultdict(list)
        for price in every:
            members[bounds(interval, price.row["start"], zone)].append(price)
        for (start, end), inside in members.items():
            bar = _bar(inside, end, timedelta(seconds=grace_s))
            if bar is not None:
                made[interval, start] = bar | {"end": end}
    return made


def _bar(inside: list[Price], end: datetime, grace: timedelta) -> Row | None:
    ticks = [p.row for p in inside if not p.row["flags"] & ADVISORY]
    if not ticks:
        return None
    ticks.sort(key=lambda r: (r["start"], r["source_rank"], r["event_id"], r["ts"]))
    volumes = [r for r in ticks if r["volume"] is not None]
    total = sum((Fraction(r["volume"]) for r in volumes), Fraction(0))
    worth = sum((Fraction(r["price"]) * Fraction(r["volume"]) for r in volumes), Fraction(0))
    seconds, integral = _held(ticks, end)
    flags = 0
    for row in ticks:
        flags |= row["flags"]
    return {
        "open": ticks[0]["price"],
        "high": max(r["price"] for r in ticks),
        "low": min(r["price"] for r in ticks),
        "close": ticks[-1]["price"],
        "volume": sum((r["volume"] for r in volumes), Decimal(0)) if volumes else None,
        "vwap": rounded(worth, total),
        "twap": rounded(integral, seconds),
        "covered_seconds": Decimal(seconds.numerator) / Decimal(seconds.denominator),
        "count": len(ticks),
        "flags": flags,
        "revision": sum(len(p.changes) - 1 + (p.first_known > end + grace) for p in inside),
        "updated_at": max(p.changes[-1] for p in inside),
    }


def _held(ticks: list[Row], end: datetime) -> tuple[Fraction, Fraction]:
    seconds = integral = Fraction(0)
    for number, row in enumerate(ticks):
        if row["hold_end"] is not None:
            until = min([row["hold_end"], end] + [r["start"] for r in ticks[number + 1 : number + 2]])
            held = max(Fraction((until - row["start"]) // timedelta(microseconds=1), 1_000_000), Fraction(0))
            seconds += held
            integral += held * Fraction(row["price"])
    return seconds, integral


def rounded(numerator: Fraction, denominator: Fraction) -> Decimal | None:
    """A quotient at nine decimals, half to even; none without a denominator."""
    if not denominator:
        return None
    return Decimal(round(numerator / denominator * 10**9)).scaleb(-9)
