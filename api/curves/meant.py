"""Which curve is meant, and its snapshots: stored ones, or computed from what was known at an instant."""

from asyncio import to_thread
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import polars as pl

from api.coverage import Instrument
from api.problems import not_found
from api.reads.ports import Reads
from api.state import State
from db.clickhouse.curves import Inputs
from db.visible import Visible
from pipeline.curves.day_ahead import is_curve
from pipeline.curves.definitions import Calendar, Curve, calendar_of, curves_of, for_tenant
from pipeline.curves.inputs import sessions_of
from pipeline.curves.snapshot import Built, build
from pipeline.schema import SEEN, empty


class Futures(NamedTuple):
    """A curve of contracts, of the ticks of a tenant."""

    tenant: str
    curve: Curve
    calendar: Calendar


class Snapshots(NamedTuple):
    """`heads`: tenant, curve, unit and what `pipeline.curves.snapshot.HEADS` shows; `points`: tenant, curve and
    `pipeline.curves.points.POINTS`."""

    heads: pl.DataFrame
    points: pl.DataFrame


async def meant(state: State, visible: Visible, name: str) -> Sequence[Futures] | Instrument:
    """The curve of that name for each tenant that may have one, the caller's own first; or the instrument whose hours
    are a curve. 404 where there is neither."""
    tables = (await state.reads.snapshot()).tables
    curves, calendar = curves_of(tables["curves"]), calendar_of(tables)
    defined = [Futures(tenant, each, calendar) for tenant in visible.tenants for each in for_tenant(curves, tenant)]
    if found := [each for each in defined if each.curve.curve == name and _is_seen(each, visible)]:
        return found
    reference = await state.references.named(visible, [name])
    if reference.is_empty():
        raise not_found(f"curve: there is no {name!r} for this key. /v1/curves lists them.")
    if not is_curve((one := Instrument(visible.first(reference))).product):
        raise not_found(f"curve: the prices of {name!r} do not lie ahead. /v1/curves lists what is a curve.")
    return one


def tenants_of(which: Sequence[Futures] | Instrument) -> set[str]:
    """Whose prices it is made of."""
    return {which.tenant} if isinstance(which, Instrument) else {each.tenant for each in which}


def _is_seen(one: Futures, visible: Visible) -> bool:
    return visible.allows(one.tenant, one.curve.market, one.curve.product)


async def computed(reads: Reads, one: Futures, sessions: Sequence[date], known: datetime | None) -> Built:
    """The snapshots of sessions, in order, from what was known at an instant, or is now."""
    if not sessions:
        return build(one.curve, empty(SEEN), one.calendar)
    publications = await publications_of(reads, one, sessions, known)
    return await to_thread(build, one.curve, publications, one.calendar, sessions)


async def publications_of(reads: Reads, one: Futures, sessions: Sequence[date], known: datetime | None) -> pl.DataFrame:
    """All that may stand in the snapshots of these sessions."""
    trading = sessions_of(one.curve, one.calendar)
    first = trading.around([sessions[0]], one.curve.max_age + 1, 0)[0]
    low, high = trading.closes(pl.Series([first, sessions[-1]], dtype=pl.Date))
    of = Inputs(one.tenant, one.curve.market, one.curve.product, low, high)
    return await reads.curve_publications(of, known)


def shown(one: Futures, built: Built) -> Snapshots:
    """As those that are stored."""
    whose = {"tenant": pl.lit(one.tenant), "curve": pl.lit(one.curve.curve)}
    heads = built.heads.with_columns(**whose, unit=pl.lit(one.curve.unit, dtype=pl.String))
    return Snapshots(heads, built.points.with_columns(**whose))
