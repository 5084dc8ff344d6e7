"""Spreads in a pass: what follows from the prices that a batch brought is stored before its bars are made."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from db.clickhouse import spreads as store
from db.postgres.reference import register_instruments
from pipeline.bars import TOUCHED, touched, united
from pipeline.schema import INSTANT, PUBLIC, empty
from pipeline.spreads.again import revised
from pipeline.spreads.cells import CELLS, cells
from pipeline.spreads.derive import derive
from pipeline.spreads.parts import parts
from pipeline.spreads.plan import Plan, Plans, parted
from workers.context import Context
from workers.tasks.base import contained

_MOST_CELLS: Final = 20_000  # of one read: a day of hours of 800 spreads
_WIDE: Final = 2_000  # cells beyond which those of days without prices are left out first
_MOST_FAILURES: Final = 40  # of one pass: two bad definitions of 1,000 are found; where all are, prices go on
_DAY: Final = timedelta(days=1)
_PLANS: Final = Plans()
Derive = Callable[[Context, Plan, pl.DataFrame], pl.DataFrame]


def plan(context: Context) -> Plan:
    """The definitions of the reference as it is now."""
    snapshot = context.snapshot()
    return _PLANS.of(snapshot.tables_version, snapshot.tables)


def with_spreads(context: Context, plan: Plan, buckets: pl.DataFrame) -> pl.DataFrame:
    """`TOUCHED`: these buckets, and those of the spreads that follow from their prices, whose values are stored."""
    following = apart(derived, context, plan, buckets)
    return united([buckets, following]) if following.height else buckets


def derived(context: Context, plan: Plan, buckets: pl.DataFrame) -> pl.DataFrame:
    """Derives and stores what follows from the prices of buckets; `TOUCHED` of what was stored."""
    return _each(context, plan, buckets, _made)


def derived_again(context: Context, plan: Plan, buckets: pl.DataFrame) -> pl.DataFrame:
    """The same of definitions that may have stored values which follow no more; `TOUCHED` of what changed."""
    return _each(context, plan, buckets, _revised)


def apart(of: Derive, context: Context, plan: Plan, buckets: pl.DataFrame) -> pl.DataFrame:
    """`TOUCHED` of all that can be derived: a definition that cannot be worked on is left out, and told in the log."""
    made, left, failures = [empty(TOUCHED)], [plan], 0
    while left and failures < _MOST_FAILURES:
        part = left.pop()
        with contained(context, "aggregate.spreads"):
            made.append(of(context, part, buckets))
            continue
        failures += 1
        left += parted(part)
    return united(made)


def insert(context: Context, plan: Plan, made: pl.DataFrame) -> pl.DataFrame:
    """Stores `pipeline.spreads.derive.DERIVED`; its `TOUCHED`."""
    if made.is_empty():
        return empty(TOUCHED)
    _register(context, plan, made)
    store.insert_derived(context.clickhouse, made)
    return touched(made)


def _each(context: Context, plan: Plan, buckets: pl.DataFrame, make: Derive) -> pl.DataFrame:
    found = cells(plan, buckets)
    if found.height > _WIDE:
        found = _priced(context, plan, found)
    ordered = found.sort("start", "number")
    made = [insert(context, plan, make(context, plan, some)) for some in ordered.iter_slices(_MOST_CELLS)]
    return united(made) if made else empty(TOUCHED)


def _priced(context: Context, plan: Plan, found: pl.DataFrame) -> pl.DataFrame:
    """The cells on whose UTC day there are prices of every hourly leg: gas of years flows on days without power."""
    hourly = plan.legs.filter(pl.col("align").is_in(["interval", "mean"]), pl.col("interval") == "1h")
    legs = hourly.filter(pl.col("number").is_in(found["number"].unique().implode()))
    low, high = found["start"].min(), found["start"].max()
    assert isinstance(low, datetime)
    assert isinstance(high, datetime)
    held = store.days(context.clickhouse, set(legs["instrument"]), low - _DAY, high + _DAY)
    there = held.select("instrument", utc=pl.col("start").dt.date()).unique()
    dated = found.with_columns(utc=pl.col("start").dt.date())
    for leg in legs.partition_by("leg"):
        wanted = dated.join(leg.select("number", "instrument"), on="number", how="left")
        bare = wanted.filter(pl.col("instrument").is_not_null()).join(there, on=["instrument", "utc"], how="anti")
        dated = dated.join(bare.select("number", "start"), on=["number", "start"], how="anti")
    return dated.select(*CELLS)


def _made(context: Context, plan: Plan, some: pl.DataFrame) -> pl.DataFrame:
    wanted = parts(plan, some).select("owner", "instrument", start="at").unique()
    own, public = wanted.rename({"owner": "tenant"}), wanted.drop("owner").with_columns(tenant=pl.lit(PUBLIC))
    keys = pl.concat([own, public.select(own.columns)]).unique()
    return derive(plan, some, store.publications(context.clickhouse, keys))


def _revised(context: Context, plan: Plan, some: pl.DataFrame) -> pl.DataFrame:
    names = [(number, each.tenant, each.instrument) for number, each in enumerate(plan.definitions)]
    schema = {"number": pl.UInt32(), "tenant": pl.String(), "instrument": pl.String()}
    keys = some.join(pl.DataFrame(names, schema, orient="row"), on="number").select("tenant", "instrument", "start")
    held = store.publications(context.clickhouse, keys)
    return revised(_made(context, plan, some), held)


def _register(context: Context, plan: Plan, made: pl.DataFrame) -> None:
    """Registers the spreads that the reference lacks, with the zone and unit of their definitions."""
    first = made.group_by("tenant", "instrument").agg(
        pl.col("market", "product", "location", "location_type", "unit", "zone").last(),
        first_seen=pl.col("known_at").min().cast(INSTANT),
    )
    unseen = first.join(context.reference(), on=["tenant", "instrument"], how="anti")
    if unseen.is_empty():
        return
    money = pl.DataFrame(
        [(each.tenant, each.instrument, each.currency) for each in plan.definitions],
        dict.fromkeys(("tenant", "instrument", "currency"), pl.String()), orient="row",
    ).unique(["tenant", "instrument"], keep="last")  # fmt: skip
    rows = unseen.join(money, on=["tenant", "instrument"], how="left")
    added = context.runner.wait(register_instruments(context.postgres, rows))
    context.metrics.count("instruments_registered", added)
