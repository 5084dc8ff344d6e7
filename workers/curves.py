"""Snapshots of forward curves, made again where a price of their contracts has moved.

Part of a pass: what it touched is made again from what is stored, stored, and told where it is another one than was
told before. A pass that dies before is repeated with its batches, and finds what was not told.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from db.clickhouse import curves as stored
from db.clickhouse.curves import Inputs
from db.clickhouse.spreads import days
from db.reference.snapshot import INSTRUMENTS
from pipeline.curve_events import curves as events
from pipeline.curves.definitions import Calendar, Curve, calendar_of, curves_of, for_tenant, mark
from pipeline.curves.inputs import sessions_of
from pipeline.curves.snapshot import Built, build
from pipeline.schema import LATEST
from workers import outgoing
from workers.context import Context
from workers.tasks.base import contained

_DAY: Final = timedelta(days=1)
_BEGINNING: Final = datetime(1990, 1, 1, tzinfo=UTC)
_TOGETHER: Final = 60  # days of history that are made at once


class _Moved(NamedTuple):
    """A curve and the sessions whose snapshots may be others now."""

    tenant: str
    curve: Curve
    sessions: list[date]


def made(context: Context, touched: pl.DataFrame) -> None:
    """Makes the snapshots again that hold a price of these buckets (`pipeline.bars.TOUCHED`), or may show it still."""
    reference = context.snapshot()
    curves = curves_of(reference.tables["curves"])
    calendar = calendar_of(reference.tables)
    for moved in _moved(touched, curves, curves, calendar):
        _make(context, moved, calendar, reference.tables_version)


def marks(context: Context) -> set[str]:
    """What the definitions of the reference are marked with once their history is made."""
    tables = context.snapshot().tables
    calendar = calendar_of(tables)
    return {mark(curve, calendar) for curve in curves_of(tables["curves"])}


def history(context: Context, chosen: Collection[str], after: datetime | None) -> Iterator[datetime]:
    """Makes the snapshots of the definitions with these marks from all stored prices beyond a day, oldest first; gives
    the last UTC day that was looked at, again and again. What older definitions have left is removed first."""
    reference = context.snapshot()
    calendar = calendar_of(reference.tables)
    curves = curves_of(reference.tables["curves"])
    wanted = [curve for curve in curves if mark(curve, calendar) in chosen]
    held = _held(context, reference.tables[INSTRUMENTS], wanted, _BEGINNING if after is None else after + _DAY)
    every = held["start"].unique().sort()
    if after is None:
        for moved in _moved(held, curves, wanted, calendar):
            stored.forget(context.clickhouse, moved.tenant, moved.curve.curve, reference.tables_version)
    for some in (every[at : at + _TOGETHER] for at in range(0, len(every), _TOGETHER)):
        for moved in _moved(held.filter(pl.col("start").is_in(some.implode())), curves, wanted, calendar):
            _make(context, moved, calendar, reference.tables_version)
        yield some[-1]


def _held(context: Context, instruments: pl.DataFrame, curves: list[Curve], low: datetime) -> pl.DataFrame:
    """The UTC days that hold prices of these curves: `tenant, instrument, market, product, start, end`."""
    of = pl.DataFrame([(each.market, each.product) for each in curves], schema=["market", "product"], orient="row")
    known = instruments.select("tenant", "instrument", "market", "product")
    wanted = known.join(of.unique(), on=["market", "product"], how="semi") if curves else known.clear()
    held = days(context.clickhouse, wanted["instrument"].unique(), low, LATEST)
    return held.join(wanted, on=["tenant", "instrument"]).with_columns(end=pl.col("start") + _DAY)


def _moved(touched: pl.DataFrame, curves: list[Curve], wanted: list[Curve], calendar: Calendar) -> Iterator[_Moved]:
    """Of the definitions that hold for each tenant those that are wanted."""
    inputs = pl.DataFrame([(each.market, each.product) for each in curves], schema=["market", "product"], orient="row")
    found = touched.join(inputs.unique(), on=["market", "product"], how="semi") if curves else touched.clear()
    for tenant in found["tenant"].unique().sort():
        for curve in (each for each in for_tenant(curves, tenant) if each in wanted):
            of = {"tenant": tenant, "market": curve.market, "product": curve.product}
            if not (buckets := found.filter(**of)).is_empty():
                yield _Moved(tenant, curve, _sessions(buckets, curve, calendar))


def _sessions(buckets: pl.DataFrame, curve: Curve, calendar: Calendar) -> list[date]:
    """The sessions of these instants, and those after that may show their prices still. A settlement is of its UTC
    date; an instant late in a day is of the next session."""
    last = (pl.col("end") - timedelta(microseconds=1)).dt.date().dt.offset_by("1d")
    days = buckets.select(pl.date_ranges(pl.col("start").dt.date(), last).explode().unique()).to_series()
    return sessions_of(curve, calendar).around(days.to_list(), 0, curve.max_age)


def _make(context: Context, moved: _Moved, calendar: Calendar, reference: int) -> None:
    publications = stored.publications_of(context.clickhouse, _inputs(moved, calendar))
    built = _built(context, moved, calendar, publications)
    if built is not None:
        _told(context, moved, built, reference)


def _built(context: Context, moved: _Moved, calendar: Calendar, publications: pl.DataFrame) -> Built | None:
    with contained(context, "aggregate.curves"):
        return build(moved.curve, publications, calendar, moved.sessions)
    return None


def _told(context: Context, moved: _Moved, built: Built, reference: int) -> None:
    """Stores the snapshots and tells those that changed; a topic that is away is raised, and all of it is repeated."""
    tenant, curve = moved.tenant, moved.curve
    heads = stored.store(context.clickhouse, tenant, curve.curve, built, reference)
    points = built.points.with_columns(tenant=pl.lit(tenant), curve=pl.lit(curve.curve))
    told = events(heads.with_columns(unit=pl.lit(curve.unit, dtype=pl.String)), points)
    changed = stored.untold(context.clickhouse, told)
    outgoing.send_curves(context, changed)
    outgoing.confirm(context)
    stored.mark_told(context.clickhouse, changed)


def _inputs(moved: _Moved, calendar: Calendar) -> Inputs:
    """From the end of the session before the earliest that may still be shown, to the last one's end."""
    trading = sessions_of(moved.curve, calendar)
    reach = trading.around([moved.sessions[0]], moved.curve.max_age + 1, 0)
    low, high = trading.closes(pl.Series([reach[0], moved.sessions[-1]], dtype=pl.Date))
    return Inputs(moved.tenant, moved.curve.market, moved.curve.product, low, max(high, low + _DAY))
