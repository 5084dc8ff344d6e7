"""A random history of prices, and by the definitions what of it was known when."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipeline.flags import Flag
from tests.db.clickhouse.brute import Row, prices
from tests.db.clickhouse.rows import document, generic

START = datetime(2026, 7, 1, 12, tzinfo=UTC)
_KNOWN = ("known_at", "topic_id", "partition", "offset", "row")
Json = dict[str, Any]


def history(tenant: str, gas: str, node: str, seed: int) -> list[Row]:
    """Publications in known order: values that come late, again, corrected, withdrawn, several at one instant."""
    chance, made = random.Random(seed), list[Row]()
    for number in range(70):
        known = START + timedelta(seconds=20 * chance.randrange(number + 1, number + 4))
        more = {"known_at": known, "offset": number, "topic_id": f"{tenant}-{number % 2}"}
        made.append(_gas(tenant, gas, chance, more) if number % 3 else _node(tenant, node, chance, more))
    return sorted(made, key=order)


def _gas(tenant: str, name: str, chance: random.Random, more: Row) -> Row:
    at = START + timedelta(seconds=30 * chance.randrange(more["offset"] // 3 + 1))
    flags = int(chance.choice([Flag.VALID, Flag.VALID, Flag.VALID, Flag.ADVISORY]))
    price, event = str(chance.randrange(1, 5)), chance.choice("ab")
    return generic(
        tenant,
        at,
        price,
        instrument=name,
        market="henry_hub",
        event_id=event,
        flags=flags,
        version=_version(chance),
        **more,
    )


def _node(tenant: str, name: str, chance: random.Random, more: Row) -> Row:
    start = START + timedelta(minutes=5 * chance.randrange(4))
    shape: Row = {"instrument": name, "location": name.split(".")[2], "version": _version(chance)}
    return document(tenant, start, str(chance.randrange(1, 5)), 5, **shape | more)


def _version(chance: random.Random) -> int:
    return chance.choice([0, 0, 0, 1])


def order(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KNOWN)


def effective(rows: Sequence[Row]) -> list[Row]:
    """Every publication that changed a price when it became known, in that order."""
    return [row for at, row in enumerate(rows) if _changes(row, rows[:at])]


def _changes(row: Row, before: Sequence[Row]) -> bool:
    same = [each for each in before if _identity(each) == _identity(row)]
    return not same or len(prices([*same, row])[0].changes) > len(prices(same)[0].changes)


def _identity(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("instrument", "ts", "source_rank", "event_id"))


def newest(rows: Sequence[Row], at: datetime) -> dict[str, tuple[Decimal, datetime]]:
    """Of each instrument the price with the newest start that was known at an instant, and when that became known."""
    found = dict[str, tuple[Decimal, datetime]]()
    for name in {row["instrument"] for row in rows}:
        known = [row for row in rows if row["instrument"] == name and row["known_at"] <= at]
        usable = [each for each in prices(known) if not each.row["flags"] & Flag.ADVISORY]
        if usable:
            last = max(usable, key=lambda each: tuple(each.row[k] for k in ("start", "source_rank", "event_id", "ts")))
            found[name] = last.row["price"], last.changes[-1]
    return found


def state(frames: Sequence[Json], key: Sequence[str]) -> dict[tuple[Any, ...], Json]:
    """What a client that keeps the newest row of each key shows."""
    return {tuple(row[name] for name in key): row for each in frames for row in each["data"]}
