"""Forward curves by brute force: every snapshot replayed message by message, in plain Python.

The definitions are those of docs/curves.md; this file must stay readable as their plain statement. Days are dates,
instants microseconds, prices integers of 10^-9.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from verify.model import Publication

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_DAY_US = 86_400_000_000
_ORDER = ("last", "quote", "trade", "settle")
_FIRST = {"CAL": 1, "SUM": 4, "WIN": 11}
_MONTHS = {"CAL": 12, "SUM": 7, "WIN": 5}


class Contract(NamedTuple):
    """A delivery [start, end); `last_trade` is None where no calendar lists it."""

    name: str
    start: date
    end: date
    last_trade: date | None


class Rules(NamedTuple):
    """What the reference says of a curve. `contracts`: of its root, by name."""

    prefix: str  # of its instruments
    root: str
    session_zone: str
    session_end: time
    max_age: int
    holidays: frozenset[date]
    contracts: Mapping[str, Contract]


class Quote(NamedTuple):
    """What a publication says of a contract; `own`: its session."""

    identity: tuple[str, tuple[int, int, str]]
    contract: Contract
    own: date
    kind: str
    instant: int
    price: int
    version: int
    known: tuple[int, str, int, int, int]


class Point(NamedTuple):
    """What a contract shows."""

    contract: Contract
    price: int
    kind: str
    age: int
    instant: int


@dataclass(slots=True)
class Snapshot:
    """A session's snapshot as it must be."""

    points: list[Point] = field(default_factory=list[Point])
    first_known: int = 0
    known_at: int = 0
    version: int = -1


def quotes(series: Iterable[tuple[str, Sequence[Publication]]], rules: Rules) -> Iterator[Quote]:
    """The quotes of contracts among the publications of (instrument, publications)."""
    for instrument, publications in series:
        traded: set[object] = set()
        for each in sorted(publications, key=lambda p: p.known_order):
            traded |= {each.identity} if each.volume is not None else set()
            settles = each.source_rank == 0 and each.hold_end == each.start + _DAY_US
            own = _date(each.start) if settles else session_of(each.start, rules)
            contract = _contract(instrument.removeprefix(rules.prefix), own, rules)
            if contract is None or not is_session(own, rules):
                continue
            kind = "settle" if settles else "last"
            if each.source_rank == 1:
                kind = "trade" if each.identity in traded else "quote"
            instant = close(own, rules) if settles else each.start
            identity = (instrument, each.identity)
            yield Quote(identity, contract, own, kind, instant, each.price, each.version, each.known_order)


def _date(instant: int) -> date:
    return (_EPOCH + timedelta(microseconds=instant)).date()


def is_session(day: date, rules: Rules) -> bool:
    return day.weekday() < 5 and day not in rules.holidays


def session_of(instant: int, rules: Rules) -> date:
    """The trading day that ends next."""
    local = (_EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(rules.session_zone))
    day = local.date() if local.time() <= rules.session_end else local.date() + _DAY
    while not is_session(day, rules):
        day += _DAY
    return day


def close(day: date, rules: Rules) -> int:
    """When a session ends."""
    ends = datetime.combine(day, rules.session_end, ZoneInfo(rules.session_zone))
    return (ends.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _contract(code: str, day: date, rules: Rules) -> Contract | None:
    """The contract of a code on a day: a nearby position, a listed name, or the written grammar."""
    position = re.fullmatch(f"{re.escape(rules.root)}([0-9][0-9])", code)
    if position is not None:
        return _nearby(day, int(position[1]), rules)
    return rules.contracts.get(code) or _written(code, rules.root)


def _nearby(day: date, position: int, rules: Rules) -> Contract | None:
    dated = sorted((c.last_trade, c) for c in rules.contracts.values() if c.last_trade is not None)
    if not dated or day <= dated[0][0] or position < 1:
        return None
    trading = [contract for last, contract in dated if last >= day]
    return trading[position - 1] if position <= len(trading) else None


def _written(code: str, root: str) -> Contract | None:
    found = re.fullmatch(f"{re.escape(root)}-?(?:([FGHJKMNQUVXZ])|(Q)([1-4])-|(CAL|SUM|WIN)-)([0-9][0-9])", code)
    if found is None:
        return None
    letter, quarter, number, named, year = found.groups()
    if letter:
        month, months = "FGHJKMNQUVXZ".index(letter) + 1, 1
    else:
        month, months = (int(number) * 3 - 2, 3) if quarter else (_FIRST[named], _MONTHS[named])
    start = date(2000 + int(year), month, 1)
    after = start.year * 12 + start.month - 1 + months
    return Contract(code, start, date(after // 12, after % 12 + 1, 1), None)


def age(own: date, session: date, rules: Rules) -> int:
    """How many sessions lie between: 0 on the day itself."""
    days = ((own + timedelta(days=step)) for step in range(1, (session - own).days + 1))
    return sum(is_session(day, rules) for day in days)


def lives(contract: Contract, session: date) -> bool:
    return session <= contract.last_trade if contract.last_trade else session < contract.start


def snapshot(every: Mapping[date, Sequence[Quote]], session: date, rules: Rules) -> Snapshot | None:
    """The snapshot of a session after all its messages, by the quotes of each session; None where no contract has a
    price of its own."""
    earliest = session - timedelta(days=3 * rules.max_age + 15)  # a week has five sessions, but for holidays
    ages = {own: age(own, session, rules) for own in every if earliest <= own <= session}
    near = [each for own, count in ages.items() if count <= rules.max_age for each in every[own]]
    messages: dict[tuple[int, str, int, int], list[Quote]] = defaultdict(list)
    for each in near:
        if lives(each.contract, session):
            messages[each.known[:4]].append(each)
    made, current, before = Snapshot(), dict[object, Quote](), dict[str, tuple[object, ...]]()
    for message in sorted(messages):
        for each in sorted(messages[message], key=lambda q: q.known):
            if each.identity not in current or each.version >= current[each.identity].version:
                current[each.identity] = each
        made.points = _points(current.values(), ages)
        shown = {point.contract.name: (point.price, point.kind, point.age) for point in made.points}
        if any(point.age == 0 for point in made.points) and shown != before:
            made.version, made.known_at, before = made.version + 1, message[0], shown
            made.first_known = made.first_known or message[0]
    return made if made.version >= 0 else None


def _points(current: Iterable[Quote], ages: Mapping[date, int]) -> list[Point]:
    best: dict[str, Quote] = {}
    for each in current:
        if each.contract.name not in best or _place(each) > _place(best[each.contract.name]):
            best[each.contract.name] = each
    found = [Point(each.contract, each.price, each.kind, ages[each.own], each.instant) for each in best.values()]
    return sorted(found, key=lambda point: point.contract[1:3])


def _place(quote: Quote) -> tuple[object, ...]:
    instrument, (ts, source_rank, event_id) = quote.identity
    return quote.own, _ORDER.index(quote.kind), quote.instant, ts, source_rank, event_id, instrument
