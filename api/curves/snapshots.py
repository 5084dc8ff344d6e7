"""Snapshots of either sort of curve, as the routes answer them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from api.coverage import Instrument
from api.curves import hours
from api.curves import meant as curves
from api.curves import room as curve_room
from api.curves import versions as curve_versions
from api.curves.meant import Futures, Snapshots
from api.curves.room import Asked, Found
from api.problems import invalid
from api.ranges.estimates import Counted
from api.reads.ports import Reads
from api.values import FIRST_DAY
from db.clickhouse.counts import Counting
from pipeline.curves.inputs import KINDS
from pipeline.schema import LATEST

Which = Sequence[Futures] | Instrument

_DAY: Final = timedelta(days=1)
_LOOK_BACK: Final = 5  # sessions among which the newest before an instant is looked for
_INPUT: Final = (
    "contract", "instrument", "price", "kind", "age", "instant", "known_at", "topic_id", "partition", "offset", "row",
)  # fmt: skip


class Working(NamedTuple):
    """A snapshot and what it was made of: rows of `_INPUT`."""

    snapshots: Snapshots
    inputs: pl.DataFrame


async def latest(reads: Reads, which: Which, at: datetime | None, known: datetime | None) -> Snapshots:
    """The newest snapshot; empty where there is none."""
    if isinstance(which, Instrument):
        return await hours.newest(reads, which, at, known)
    for one in which:
        found = await (_newest(reads, one, at) if known is None else _newest_known(reads, one, at, known))
        if not found.heads.is_empty():
            break
    return found  # pyright: ignore[reportPossiblyUnboundVariable]  a curve is one of at least one tenant


async def _newest(reads: Reads, one: Futures, at: datetime | None) -> Snapshots:
    return _read(one, *await reads.curve_until(one.tenant, one.curve.curve, at or LATEST))


async def _newest_known(reads: Reads, one: Futures, at: datetime | None, known: datetime) -> Snapshots:
    span = (FIRST_DAY, (at or LATEST).date() + _DAY)
    name = one.curve.curve
    days = sorted(await reads.curve_sessions(one.tenant, name, span, known, _LOOK_BACK, newest=True))
    made = await _computed(reads, one, days, known)
    within = made.heads if at is None else made.heads.filter(pl.col("at") <= at)
    return curve_room.of(made, within.tail(1))


async def _computed(reads: Reads, one: Futures, days: Sequence[date], known: datetime | None) -> Snapshots:
    return curves.shown(one, await curves.computed(reads, one, days, known))


async def over(reads: Reads, which: Which, asked: Asked, after: list[str] | None) -> Found:
    """The snapshots of the sessions, oldest first, after a position (tenant, session)."""
    first = asked.first if after is None else date.fromisoformat(after[1]) + _DAY
    if isinstance(which, Instrument):
        return await _hours_over(reads, which, asked, first)
    found = Found([], None)
    for one in [each for each in which if after is None or each.tenant == after[0]]:
        found = await _over(reads, one, asked._replace(first=first))
        if any(not part.heads.is_empty() for part in found.parts):
            break
    return found


async def counted(reads: Reads, which: Which, first: date, beyond: date, known: datetime) -> Counted:
    """How many sessions of [first, beyond) have a snapshot, as far as that is known without computing one."""
    if isinstance(which, Instrument):
        start, end = hours.span(first, beyond, which.zone)
        days = await reads.count_bars(Counting([(which.tenant, which.name)], start, end), "1d")
        return Counted(sum(days["rows"].to_list()), exact=False)
    for one in which:
        span = (first, beyond - _DAY)
        days = await reads.curve_sessions(one.tenant, one.curve.curve, span, known, (beyond - first).days, newest=False)
        if days:
            return Counted(len(days), exact=True)
    return Counted(0, exact=True)


async def _hours_over(reads: Reads, one: Instrument, asked: Asked, first: date) -> Found:
    if asked.versions:
        raise invalid("versions", "a day-ahead curve is shown as it is, or was known as_of an instant.")
    beyond = min(asked.beyond, first + asked.limit * _DAY)
    made = await hours.days(reads, one, first, beyond, asked.known)
    going_on = beyond < asked.beyond
    return Found([made], [one.tenant, str(beyond - _DAY)] if going_on else None)


async def _over(reads: Reads, one: Futures, asked: Asked) -> Found:
    days = await _days(reads, one, asked)
    some, more = days[: asked.limit], len(days) > asked.limit
    following = [one.tenant, str(some[-1])] if more else None
    if asked.versions:
        found = await curve_versions.over(reads, one, some, asked)
        return found if found.following else Found(found.parts, following)
    if asked.known is not None or not some:
        made = await _computed(reads, one, some, asked.known)
    else:
        made = _read(one, *await reads.curve_snapshots(one.tenant, one.curve.curve, some[0], some[-1], asked.limit))
    fit = curve_room.fitting(made, asked.granularity)
    cut = fit.heads.height < made.heads.height
    return Found([fit], [one.tenant, str(fit.heads["session"][-1])] if cut else following)


async def _days(reads: Reads, one: Futures, asked: Asked) -> list[date]:
    """The sessions that have a snapshot, one more than the limit where there are more."""
    span = (asked.first, asked.beyond - _DAY)
    known = asked.known or LATEST
    return list(await reads.curve_sessions(one.tenant, one.curve.curve, span, known, asked.limit + 1, newest=False))


async def explained(reads: Reads, which: Which, session: date, known: datetime | None) -> Working | None:
    """The snapshot of a session and its inputs; None where there is none."""
    if isinstance(which, Instrument):
        made = await hours.days(reads, which, session, session + _DAY, known)
        return None if made.heads.is_empty() else Working(made, await hours.inputs(reads, which, session, known))
    for one in which:
        built = await curves.computed(reads, one, [session], known)
        if not built.heads.is_empty():
            named = pl.col("kind").replace_strict(range(len(KINDS)), list(KINDS), return_dtype=pl.String)
            return Working(curves.shown(one, built), built.inputs.with_columns(named).select(_INPUT))
    return None


def _read(one: Futures, heads: pl.DataFrame, points: pl.DataFrame) -> Snapshots:
    return Snapshots(heads.with_columns(unit=pl.lit(one.curve.unit, dtype=pl.String)), points)
