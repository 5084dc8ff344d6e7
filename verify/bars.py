"""Bars by brute force: replay every publication of one instrument, then fill every bucket from single ticks.

Nothing is folded, nothing is merged, no float is used. The definitions are those of the manual ("bar", "twap",
"revision"); this file must stay readable as their plain statement.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from verify.model import Bar, Publication

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOO_LARGE = 10**18  # 10^9 in units of 10^-9
_SECONDS = {"10s": 10, "1m": 60, "5m": 300, "15m": 900, "1h": 3600}


class Identity(NamedTuple):
    """One identity after its publications were replayed."""

    current: Publication  # the latest effective one: an equal value in a later message changes nothing
    first_known: int
    effective: tuple[int, ...]  # known_at of every effective publication, the first included


class Rules(NamedTuple):
    """What the registry of products says of one instrument."""

    intervals: tuple[str, ...]
    zone: str
    grace_us: int
    unusable: int


def replay(publications: Iterable[Publication], unusable: int) -> list[Identity]:
    """Every identity with its current publication: in known order the highest version wins, later ones on a tie."""
    by_identity: dict[tuple[int, int, str], list[Publication]] = defaultdict(list)
    for publication in publications:
        by_identity[publication.identity].append(publication)
    return [_replay_one(sorted(group, key=lambda p: p.known_order), unusable) for group in by_identity.values()]


def _replay_one(group: list[Publication], unusable: int) -> Identity:
    current = group[0]
    effective = [current.known_at]
    highest = current.version
    for publication in group[1:]:
        if publication.version < highest:
            continue
        highest = publication.version
        if _content(publication, unusable) != _content(current, unusable):
            effective.append(publication.known_at)
            current = publication
    return Identity(current, group[0].known_at, tuple(effective))


def _content(publication: Publication, unusable: int) -> tuple[object, ...]:
    usable = not publication.flags & unusable
    return publication.price, publication.volume, publication.parts, usable


def bars(publications: Sequence[Publication], rules: Rules) -> list[Bar]:
    """Every bar of one instrument that must be stored, of every interval that is made for it."""
    identities = replay(publications, rules.unusable)
    return [bar for interval in rules.intervals for bar in _bars_of(interval, identities, rules)]


def _bars_of(interval: str, identities: list[Identity], rules: Rules) -> list[Bar]:
    bounds = bounds_of(interval, rules.zone)
    buckets: dict[tuple[int, int], list[Identity]] = defaultdict(list)
    for identity in identities:
        buckets[bounds(identity.current.start)].append(identity)
    made = (_bar(interval, start, end, members, rules) for (start, end), members in buckets.items())
    return [bar for bar in made if bar is not None]


def bounds_of(interval: str, zone: str) -> Callable[[int], tuple[int, int]]:
    """The function from an instant to its bucket [start, end)."""
    if interval == "1d":
        return lambda instant: _day(instant, zone)
    width = _SECONDS[interval] * 1_000_000
    return lambda instant: (instant // width * width, instant // width * width + width)


def _day(instant: int, zone: str) -> tuple[int, int]:
    local = (_EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone))
    return _day_bounds(local.year, local.month, local.day, zone)


@lru_cache(maxsize=100_000)
def _day_bounds(year: int, month: int, day: int, zone: str) -> tuple[int, int]:
    midnight = datetime(year, month, day, tzinfo=ZoneInfo(zone))
    following = (datetime(year, month, day, tzinfo=UTC) + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone))
    return _micros(midnight), _micros(following)


def _micros(instant: datetime) -> int:
    return (instant.astimezone(UTC) - _EPOCH) // _MICROSECOND


def _bar(interval: str, start: int, end: int, members: list[Identity], rules: Rules) -> Bar | None:
    usable = [m.current for m in members if not m.current.flags & rules.unusable]
    if not usable:
        return None
    ticks = sorted(usable, key=lambda p: (p.start, p.source_rank, p.event_id, p.ts))
    prices = [tick.price for tick in ticks]
    integral, covered = _held(ticks, end)
    volumes = [(tick.price, tick.volume) for tick in ticks if tick.volume is not None]
    volume = sum(v for _, v in volumes)
    return Bar(
        interval=interval,
        start=start,
        end=end,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=volume if volumes else None,
        vwap=_half_even(sum(p * v for p, v in volumes), volume),
        twap=_half_even(integral, covered),
        covered_us=covered,
        ticks=len(ticks),
        flags=_union(ticks),
        revision=sum(len(m.effective) - 1 for m in members)
        + sum(m.first_known > end + rules.grace_us for m in members),
        updated_at=max(at for m in members for at in m.effective),
    )


def _held(ticks: list[Publication], end: int) -> tuple[int, int]:
    integral = covered = 0
    for position, tick in enumerate(ticks):
        if tick.hold_end is None:
            continue
        until = min(tick.hold_end, end)
        if position + 1 < len(ticks):
            until = min(until, ticks[position + 1].start)
        held = max(0, until - tick.start)
        integral += tick.price * held
        covered += held
    return integral, covered


def _union(ticks: list[Publication]) -> int:
    flags = 0
    for tick in ticks:
        flags |= tick.flags
    return flags


def _half_even(numerator: int, denominator: int) -> int | None:
    """Rounded once; None without a denominator, and where it is no price any more."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    if denominator == 0 or abs(numerator) // denominator >= _TOO_LARGE:
        return None
    quotient, rest = divmod(numerator, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1)
    return quotient + up
