"""Queue `aggregate`: what follows from new or changed definitions over all that is stored, a while at a time."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from db.clickhouse import derived
from db.redis import chains
from service import clock
from workers import curve_history, history, spread_history, spreads
from workers.app import app, task
from workers.context import Context, current
from workers.queues import DERIVE, DERIVE_CURVES, LANDED, publish
from workers.tasks.aggregate import make

HISTORY_S: Final = 10.0  # of one task: others wait for its process


@task(DERIVE)
def derive(marks: list[str], after_us: int | None = None) -> None:
    """Derives the values of definitions of spreads over all history beyond a day, in tasks of bounded length."""
    context = current()
    until = _worked(_spread_days(context, marks, _day(after_us)))
    _go_on(context, DERIVE, marks, until)


@task(DERIVE_CURVES)
def derive_curves(marks: list[str], after_us: int | None = None, reference: int | None = None) -> None:
    """Makes the snapshots of definitions of curves over all history beyond a day, in tasks of bounded length.

    `reference`: the version of the reference at which the first of them began.
    """
    context = current()
    began = context.snapshot().tables_version if reference is None else reference
    until = _worked(curve_history.history(context, marks, _day(after_us), began))
    _go_on(context, DERIVE_CURVES, marks, until, began)


def _worked(days: Iterator[datetime]) -> datetime | None:
    """Works for a while; the last day that was looked at, or nothing at the end."""
    until = time.monotonic() + HISTORY_S
    for day in days:
        if time.monotonic() > until:
            return day
    return None


def _go_on(context: Context, name: str, marks: list[str], until: datetime | None, *more: int) -> None:
    """Another task takes over from the last day; at the end what is still defined is done."""
    if until is not None:
        chains.go_on(context.redis, name)
        publish(app, name, marks, clock.to_us(until), *more)
        return
    derived.mark(context.clickhouse, history.wanted(context, spreads.plan(context))[name].intersection(marks))
    chains.end(context.redis, name)


def _spread_days(context: Context, marks: list[str], after: datetime | None) -> Iterator[datetime]:
    for step in spread_history.history(context, spreads.plan(context), marks, after):
        if step.touched.height:
            publish(app, LANDED, [], make(context, step.touched))
        yield step.until


def _day(at_us: int | None) -> datetime | None:
    return None if at_us is None else clock.from_us(at_us)
