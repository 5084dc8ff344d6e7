"""The snapshots of new or changed definitions of curves over all prices that are stored."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from db.clickhouse import curves as stored
from db.clickhouse.spreads import days
from db.reference.snapshot import INSTRUMENTS
from pipeline.curves.definitions import calendar_of, curves_of, for_tenant, mark
from pipeline.schema import EARLIEST, LATEST
from workers.context import Context
from workers.curves import Whose, make, moved

_DAY: Final = timedelta(days=1)
_TOGETHER: Final = 60  # days of history that are made at once


def marks(context: Context) -> set[str]:
    """What the definitions of the reference are marked with once their history is made: one for each tenant that has
    instruments of them, for a definition of its own takes the public one's place."""
    return set(_marked(context))


def history(context: Context, chosen: Collection[str], after: datetime | None, began: int) -> Iterator[datetime]:
    """Makes the snapshots of the definitions with these marks from all stored prices beyond a day, oldest first; gives
    the last UTC day that was looked at, again and again. At the end what older definitions have left is removed:
    snapshots made with a version of the reference before the one at which this history `began`."""
    reference = context.snapshot()
    calendar = calendar_of(reference.tables)
    wanted = [each for name, each in _marked(context).items() if name in chosen]
    held = _held(context, reference.tables[INSTRUMENTS], wanted, EARLIEST if after is None else after + _DAY)
    every = held["start"].unique().sort()
    for some in (every[at : at + _TOGETHER] for at in range(0, len(every), _TOGETHER)):
        for each in moved(held.filter(pl.col("start").is_in(some.implode())), wanted, calendar):
            make(context, each, calendar, reference.tables_version)
        yield some[-1]
    for tenant, curve in wanted:
        stored.forget(context.clickhouse, tenant, curve.curve, began)


def _marked(context: Context) -> dict[str, Whose]:
    tables = context.snapshot().tables
    curves, calendar = curves_of(tables["curves"]), calendar_of(tables)
    held = set(tables[INSTRUMENTS].select("tenant", "market", "product").unique().iter_rows())
    return {
        mark(tenant, curve, calendar): (tenant, curve)
        for tenant in sorted({tenant for tenant, _, _ in held})
        for curve in for_tenant(curves, tenant)
        if (tenant, curve.market, curve.product) in held
    }


def _held(context: Context, instruments: pl.DataFrame, wanted: Collection[Whose], low: datetime) -> pl.DataFrame:
    """The UTC days that hold prices of these curves: `tenant, instrument, market, product, start, end`."""
    rows = [(tenant, curve.market, curve.product) for tenant, curve in wanted]
    of = pl.DataFrame(rows, dict.fromkeys(("tenant", "market", "product"), pl.String()), orient="row").unique()
    known = instruments.select("tenant", "instrument", "market", "product").join(of, on=of.columns, how="semi")
    held = days(context.clickhouse, known["instrument"].unique(), low, LATEST)
    return held.join(known, on=["tenant", "instrument"]).with_columns(end=pl.col("start") + _DAY)
