"""Spreads in a pass: what follows from the prices that a batch brought is stored before its bars are made."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from db.clickhouse import spreads as store
from db.postgres.reference import register_instruments
from pipeline.bars import TOUCHED, touched, united
from pipeline.schema import INSTANT, LATEST, empty
from pipeline.spreads.calendars import PUBLIC
from pipeline.spreads.cells import CELLS, cells
from pipeline.spreads.derive import derive
from pipeline.spreads.parts import parts
from pipeline.spreads.plan import Plan, Plans, plan_of
from workers.context import Context

MOST_CELLS: Final = 20_000  # of one read: a day of hours of 800 spreads
_WIDE: Final = 2_000  # cells beyond which those of days without prices are left out first
_BEGINNING: Final = datetime(1990, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


class Step(NamedTuple):
    """A part of history: the buckets of the values that were derived, and the last UTC day that was looked at."""

    touched: pl.DataFrame
    until: datetime


_PLANS: Final = Plans()


def plan(context: Context) -> Plan:
    """The definitions of the reference as it is now."""
    snapshot = context.snapshot()
    return _PLANS.of(snapshot.tables_version, snapshot.tables)


def with_spreads(context: Context, plan: Plan, buckets: pl.DataFrame) -> pl.DataFrame:
    """`TOUCHED`: these buckets, and those of the spreads that follow from their prices, whose values are stored."""
    following = derived(context, plan, buckets)
    return united([buckets, following]) if following.height else buckets


def derived(context: Context, plan: Plan, buckets: pl.DataFrame) -> pl.DataFrame:
    """Derives and stores what follows from the prices of buckets; `TOUCHED` of what was stored."""
    found = cells(plan, buckets)
    if found.height > _WIDE:
        found = _priced(context, plan, found)
    made = [_stored(context, plan, part) for part in found.sort("start", "number").iter_slices(MOST_CELLS)]
    return united(made) if made else empty(TOUCHED)


def marks(plan: Plan) -> set[str]:
    """What the definitions are marked with once their history is derived."""
    return {plan.mark(each) for each in plan.definitions}


def history(context: Context, plan: Plan, digests: Sequence[str], after: datetime | None) -> Iterator[Step]:
    """Derives what follows from all stored prices beyond a day, oldest first, in steps."""
    chosen = plan_of([each for each in plan.definitions if plan.mark(each) in set(digests)], plan.calendars)
    low = _BEGINNING if after is None else after + _DAY
    held = store.days(context.clickhouse, _sources(chosen), low, LATEST)
    together = max(1, MOST_CELLS // (24 * max(1, len(chosen.definitions))))
    every = held["start"].unique().sort()
    for some in (every[at : at + together] for at in range(0, len(every), together)):
        rows = held.filter(pl.col("start").is_in(some.implode()))
        yield Step(derived(context, chosen, rows.with_columns(end=pl.col("start") + _DAY)), some[-1])


def _sources(plan: Plan) -> list[str]:
    """The instruments of all legs; those of contracts are the nearby positions."""
    named = plan.legs["instrument"].drop_nulls().to_list()
    positions = [f"{prefix}{k:02}" for prefix in plan.legs["prefix"].drop_nulls().unique() for k in range(1, 100)]
    return sorted({*named, *positions})


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


def _stored(context: Context, plan: Plan, some: pl.DataFrame) -> pl.DataFrame:
    wanted = parts(plan, some).select("owner", "instrument", start="at").unique()
    own, public = wanted.rename({"owner": "tenant"}), wanted.drop("owner").with_columns(tenant=pl.lit(PUBLIC))
    keys = pl.concat([own, public.select(own.columns)]).unique()
    made = derive(plan, some, store.publications(context.clickhouse, keys)) if keys.height else None
    if made is None or made.is_empty():
        return empty(TOUCHED)
    _register(context, plan, made)
    store.insert_derived(context.clickhouse, made)
    return touched(made)


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
