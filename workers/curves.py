"""Snapshots of forward curves, made again where a price of their contracts has moved.

Part of a pass: what it touched is made again from what is stored, stored, and told where it is another one than was
told before. A pass that dies before is repeated with its batches, and finds what was not told.
"""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

import polars as pl

from db.clickhouse import curves as stored
from db.clickhouse.curves import Inputs
from pipeline.curve_events import curves as events
from pipeline.curves.definitions import Calendar, Curve, calendar_of, curves_of, for_tenant
from pipeline.curves.inputs import sessions_of
from pipeline.curves.snapshot import Built, build
from workers import changes, outgoing
from workers.context import Context
from workers.tasks.base import contained

_DAY: Final = timedelta(days=1)


class Moved(NamedTuple):
    """A curve and the sessions whose snapshots may be others now."""

    tenant: str
    curve: Curve
    sessions: list[date]


Whose = tuple[str, Curve]  # the tenant of the prices, which need not be that of the definition


def made(context: Context, touched: pl.DataFrame) -> None:
    """Makes the snapshots again that hold a price of these buckets (`pipeline.bars.TOUCHED`), or may show it still."""
    reference = context.snapshot()
    calendar = calendar_of(reference.tables)
    curves = curves_of(reference.tables["curves"])
    whose = [(tenant, curve) for tenant in touched["tenant"].unique().sort() for curve in for_tenant(curves, tenant)]
    for each in moved(touched, whose, calendar):
        make(context, each, calendar, reference.tables_version)


def moved(touched: pl.DataFrame, whose: Collection[Whose], calendar: Calendar) -> Iterator[Moved]:
    """Of these curves those that have prices in the buckets."""
    for tenant, curve in whose:
        buckets = touched.filter(tenant=tenant, market=curve.market, product=curve.product)
        if not buckets.is_empty():
            yield Moved(tenant, curve, _sessions(buckets, curve, calendar))


def make(context: Context, moved: Moved, calendar: Calendar, reference: int) -> None:
    """Makes the snapshots of these sessions again, and tells those that changed."""
    publications = stored.publications_of(context.clickhouse, _inputs(moved, calendar))
    built = _built(context, moved, calendar, publications)
    if built is not None:
        _told(context, moved, built, reference)


def _sessions(buckets: pl.DataFrame, curve: Curve, calendar: Calendar) -> list[date]:
    """The sessions of these instants, and those after that may show their prices still. A settlement is of its UTC
    date; an instant late in a day is of the next session."""
    last = (pl.col("end") - timedelta(microseconds=1)).dt.date().dt.offset_by("1d")
    days = buckets.select(pl.date_ranges(pl.col("start").dt.date(), last).explode().unique()).to_series()
    return sessions_of(curve, calendar).around(days.to_list(), 0, curve.max_age)


def _built(context: Context, moved: Moved, calendar: Calendar, publications: pl.DataFrame) -> Built | None:
    with contained(context, "aggregate.curves"):
        return build(moved.curve, publications, calendar, moved.sessions)
    return None


def _told(context: Context, moved: Moved, built: Built, reference: int) -> None:
    """Stores the snapshots and tells those that changed; a topic that is away is raised, and all of it is repeated."""
    tenant, curve = moved.tenant, moved.curve
    heads = stored.store(context.clickhouse, tenant, curve.curve, built, reference)
    points = built.points.with_columns(tenant=pl.lit(tenant), curve=pl.lit(curve.curve))
    told = events(heads.with_columns(unit=pl.lit(curve.unit, dtype=pl.String)), points)
    changed = stored.untold(context.clickhouse, told)
    outgoing.send_curves(context, changed)
    outgoing.confirm(context)
    changes.tell_curves(context, changed)
    stored.mark_told(context.clickhouse, changed)


def _inputs(moved: Moved, calendar: Calendar) -> Inputs:
    """From the end of the session before the earliest that may still be shown, to the last one's end."""
    trading = sessions_of(moved.curve, calendar)
    reach = trading.around([moved.sessions[0]], moved.curve.max_age + 1, 0)
    low, high = trading.closes(pl.Series([reach[0], moved.sessions[-1]], dtype=pl.Date))
    return Inputs(moved.tenant, moved.curve.market, moved.curve.product, low, max(high, low + _DAY))
