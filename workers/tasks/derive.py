"""Queue `aggregate`: what follows from new or changed definitions over all that is stored, a while at a time."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from db.clickhouse import derived
from service import clock
from workers import curves, spreads
from workers.app import app, task
from workers.context import Context, current
from workers.queues import DERIVE, DERIVE_CURVES, LANDED, publish
from workers.tasks.aggregate import make

HISTORY_S: Final = 10.0  # of one task: others wait for its process


@task(DERIVE)
def derive(marks: list[str], after_us: int | None = None) -> None:
    """Derives the values of definitions of spreads over all history beyond a day, in tasks of bounded length."""
    context = current()
    _through(context, DERIVE, marks, _spread_history(context, marks, _day(after_us)))


@task(DERIVE_CURVES)
def derive_curves(marks: list[str], after_us: int | None = None) -> None:
    """Makes the snapshots of definitions of curves over all history beyond a day, in tasks of bounded length."""
    context = current()
    _through(context, DERIVE_CURVES, marks, curves.history(context, marks, _day(after_us)))


def _through(context: Context, name: str, marks: list[str], days: Iterator[datetime]) -> None:
    """Goes on for a while; another task takes over from the last day."""
    until = time.monotonic() + HISTORY_S
    for day in days:
        if time.monotonic() > until:
            publish(app, name, marks, clock.to_us(day))
            return
    derived.mark(context.clickhouse, marks)


def _spread_history(context: Context, marks: list[str], after: datetime | None) -> Iterator[datetime]:
    for step in spreads.history(context, spreads.plan(context), marks, after):
        if step.touched.height:
            publish(app, LANDED, [], make(context, step.touched))
        yield step.until


def _day(at_us: int | None) -> datetime | None:
    return None if at_us is None else clock.from_us(at_us)
