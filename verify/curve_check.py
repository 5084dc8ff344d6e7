"""I7: every stored snapshot of a forward curve is that of the replay, and none is missing or extra.

Where deliveries overlap, the pieces are checked by what they promise: the mean over the delivery of every contract that
was not refused is its price, to half a tick a price where it only agrees. Curves of a block of hours are spared that.
"""

import time as clock
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from db.clickhouse.frames import fetch
from db.clickhouse.query import Query
from verify import ticks
from verify.curve_rules import Row, Tables, Whose, every
from verify.curves import Point, Quote, Snapshot, close, lives, quotes, snapshot
from verify.model import Difference

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PLACES: Final = 10**9
_READ_AGAIN: Final = 5
_PAUSE_S: Final = 1.0
_STORED: Final = """
    SELECT toString(session) AS day, role, start, end, price, kind, age, inputs, at, first_known, known_at, version,
        partial, ver FROM curve_points
    WHERE tenant = {tenant:String} AND curve = {curve:String} ORDER BY session, ver, role, number"""


def check(client: Client, reference: Tables) -> tuple[int, list[Difference]]:
    """How many snapshots there must be, and what differs: read again while it does, for a system at work moves."""
    number, found = 0, list[Difference]()
    for each in every(client, reference):
        wanted, differences = _compared(client, each)
        for _ in range(_READ_AGAIN if differences else 0):
            clock.sleep(_PAUSE_S)
            wanted, differences = _compared(client, each)
            if not differences:
                break
        number, found = number + wanted, found + differences
    return number, found


def _compared(client: Client, whose: Whose) -> tuple[int, list[Difference]]:
    wanted, found = _wanted(client, whose), _stored(client, whose)
    where = f"{whose.curve['curve']} of {whose.tenant}"
    differences: list[Difference] = []
    for day in sorted(wanted.keys() | found.keys()):
        one, rows = wanted.get(day), found.get(day)
        if one is None or rows is None:
            there = ["a snapshot" if each else "none" for each in (one, rows)]
            differences.append(Difference("I7", f"session {day} of {where}", *there))
            continue
        expected, got = _told(one, rows, day, whose)
        if expected != got:
            differences.append(Difference("I7", f"session {day} of {where}", str(expected), str(got)))
    return len(wanted), differences


def _wanted(client: Client, whose: Whose) -> dict[date, Snapshot]:
    read = (ticks.of_instrument(client, whose.tenant, name) for name in whose.instruments)
    every: dict[date, list[Quote]] = defaultdict(list)
    for quote in quotes(((one.instrument, one.publications) for one in read if one is not None), whose.rules):
        every[quote.own].append(quote)
    found = {day: snapshot(every, day, whose.rules) for day in every}
    return {day: one for day, one in found.items() if one is not None}


def _stored(client: Client, whose: Whose) -> dict[date, list[Row]]:
    """The rows of the highest `ver` of each session."""
    rows: dict[date, list[Row]] = {}
    given = {"tenant": whose.tenant, "curve": whose.curve["curve"]}
    for row in fetch(client, Query(_STORED, given)).iter_rows(named=True):
        day = date.fromisoformat(row["day"])
        if day not in rows or rows[day][0]["ver"] < row["ver"]:
            rows[day] = []
        if not any(_same_place(row, each) for each in rows[day]):
            rows[day].append(row)
    return rows


def _same_place(one: Row, other: Row) -> bool:
    """Parts that are not merged yet hold a row twice."""
    return (one["role"], one["inputs"], one["start"]) == (other["role"], other["inputs"], other["start"])


def _told(one: Snapshot, rows: Sequence[Row], day: date, whose: Whose) -> tuple[object, object]:
    """What must be equal: the head, and the points or what they promise."""
    points = [row for row in rows if row["role"] == "point"]
    ends = close(day, whose.rules)
    at = min(ends, max(point.instant for point in one.points if point.age == 0))
    head = (at, one.first_known, one.known_at, one.version, _is_partial(points, day, whose))
    got = (
        *(_micros(rows[0][name]) for name in ("at", "first_known", "known_at")),
        rows[0]["version"],
        rows[0]["partial"],
    )
    if _overlap(one.points):
        refused = {name for row in rows if row["role"] == "rejected" for name in row["inputs"]}
        spared = whose.curve["block"] != "atc"
        kept = [] if spared else [point for point in one.points if point.contract.name not in refused]
        missed = [point.contract.name for point in kept if not _is_mean(point, points, whose)]
        return (head, []), (got, missed)
    zone = whose.curve["zone"]
    wanted = [
        (_midnight(p.contract.start, zone), _midnight(p.contract.end, zone), p.price, p.kind, p.age, [p.contract.name])
        for p in one.points
    ]
    return (head, wanted), (got, [_plain(row) for row in points])


def _plain(row: Row) -> tuple[object, ...]:
    price = Fraction(row["price"]) * _PLACES
    return _micros(row["start"]), _micros(row["end"]), price, row["kind"], row["age"], list(row["inputs"])


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _midnight(day: date, zone: str) -> int:
    return _micros(datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC))


def _is_partial(points: Sequence[Row], day: date, whose: Whose) -> bool:
    gaps = any(one["end"] != two["start"] for one, two in pairwise(points))
    listed = [each for each in whose.rules.contracts.values() if each.last_trade is not None]
    first = min((each.last_trade for each in listed if each.last_trade), default=date.max)
    trading = sorted((each for each in listed if lives(each, day)), key=lambda each: each.last_trade or date.max)
    late = (
        bool(trading) and day > first and _micros(points[0]["start"]) > _midnight(trading[0].start, whose.curve["zone"])
    )
    return gaps or late


def _overlap(points: Sequence[Point]) -> bool:
    ends = [max(other.contract.end for other in points[: at + 1]) for at in range(len(points))]
    return any(point.contract.start < end for point, end in zip(points[1:], ends, strict=False))


def _is_mean(point: Point, pieces: Sequence[Row], whose: Whose) -> bool:
    """Whether the mean over the contract's delivery is its price, to half a tick a price."""
    total = weight = Fraction(0)
    for step in range((point.contract.end - point.contract.start).days):
        day = point.contract.start + timedelta(days=step)
        at, one = _midnight(day, whose.curve["zone"]), _weight(day, whose.curve)
        held = [row for row in pieces if _micros(row["start"]) <= at < _micros(row["end"])]
        if len(held) != 1:
            return False
        total, weight = total + one * Fraction(held[0]["price"]), weight + one
    tolerance = Fraction(Decimal(whose.curve["tick"])) / 2 * (1 + len(pieces))
    return abs(total / weight - Fraction(point.price, _PLACES)) <= tolerance


def _weight(day: date, curve: Row) -> Fraction:
    """A month of gas is one quantity; power is delivered by the hour."""
    if not (curve["unit"] or "").endswith("/MWh"):
        following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        return Fraction(1, (following - day.replace(day=1)).days)
    hours = _midnight(day + timedelta(days=1), curve["zone"]) - _midnight(day, curve["zone"])
    return Fraction(hours, 3_600_000_000)
