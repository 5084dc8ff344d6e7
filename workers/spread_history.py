"""The values of new or changed definitions of spreads over all that is stored."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

import polars as pl

from db.clickhouse import spreads as store
from pipeline.bars import united
from pipeline.schema import EARLIEST, LATEST
from pipeline.spreads.again import undefined, withdrawn
from pipeline.spreads.definitions import Definition
from pipeline.spreads.plan import Plan, plan_of
from workers.context import Context
from workers.spreads import apart, derived_again, insert

_DAY: Final = timedelta(days=1)
_MOST_ROWS: Final = 400  # days of instruments of one step, of which each may be in two or three spreads: some seconds


class Step(NamedTuple):
    """A part of history: the buckets of the values that changed, and the last UTC day that was looked at."""

    touched: pl.DataFrame
    until: datetime


def marks(plan: Plan) -> set[str]:
    """What the definitions are marked with once their history is derived."""
    return {plan.mark(each) for each in plan.definitions}


def history(context: Context, plan: Plan, chosen: Collection[str], after: datetime | None) -> Iterator[Step]:
    """Derives what follows from all stored prices beyond a day, oldest first, in steps, for the definitions with these
    marks; first of all, what they have stored beyond their end is withdrawn."""
    some = plan_of([each for each in plan.definitions if plan.mark(each) in chosen], plan.calendars)
    if after is None and (beyond := _beyond_ends(context, plan, some)):
        yield Step(united(beyond), EARLIEST)
    low = EARLIEST if after is None else after + _DAY
    for rows in _steps(store.days(context.clickhouse, _sources(some), low, LATEST)):
        touched = apart(derived_again, context, some, rows.with_columns(end=pl.col("start") + _DAY))
        yield Step(touched, rows["start"][-1])


def _steps(held: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The days of instruments (`start`), oldest first, whole days together: of a day with few prices many days."""
    before = held.group_by("start").len().sort("start").select("start", step=pl.col("len").cum_sum() // _MOST_ROWS)
    ordered = held.join(before, on="start", how="left").sort("start")
    return (rows.drop("step") for _, rows in ordered.group_by("step", maintain_order=True))


def _beyond_ends(context: Context, plan: Plan, some: Plan) -> list[pl.DataFrame]:
    ended = [each for each in some.definitions if each.valid_to is not None]
    return [insert(context, plan, withdrawn(_undefined(context, plan, each))) for each in ended]


def _undefined(context: Context, plan: Plan, ended: Definition) -> pl.DataFrame:
    """What is stored from the end of a definition on, of days on which none holds."""
    assert ended.valid_to is not None
    since = datetime.combine(ended.valid_to, time(), UTC) - _DAY
    held = store.values_from(context.clickhouse, ended.tenant, ended.instrument, since)
    same = [each for each in plan.definitions if (each.tenant, each.spread) == (ended.tenant, ended.spread)]
    return undefined(held, same)


def _sources(plan: Plan) -> list[str]:
    """The instruments of all legs; those of contracts are the nearby positions."""
    named = plan.legs["instrument"].drop_nulls().to_list()
    positions = [f"{prefix}{k:02}" for prefix in plan.legs["prefix"].drop_nulls().unique() for k in range(1, 100)]
    return sorted({*named, *positions})
