"""Which definitions lack their history: of a new or changed one the values follow from all that is stored, once."""

import time
from collections.abc import Iterator
from typing import Final

from db.clickhouse import derived
from db.redis import chains
from pipeline.spreads.plan import Plan
from workers import curve_history, spread_history
from workers.context import Context
from workers.queues import DERIVE, DERIVE_CURVES

SEEN_BY_ALL_S: Final = 15.0  # after which every worker has the new reference: a pass that has not would leave a gap
_AGAIN_S: Final = 600.0  # a task may be lost
_SOON_S: Final = 10.0  # a chain is under way


class _Asked:
    """For which plan it was asked last, and when it is asked again."""

    plan: Plan | None = None
    again: float = 0.0


_ASKED: Final = _Asked()


def undone(context: Context, plan: Plan) -> dict[str, list[str]]:
    """The tasks to be sent that derive what is missing, each with its marks; this process asks now and then. Of each
    task one chain is under way at a time."""
    if plan is _ASKED.plan and time.monotonic() < _ASKED.again:
        return {}
    _ASKED.plan, _ASKED.again = plan, time.monotonic() + _AGAIN_S
    return {task: sorted(marks) for task, marks in _missing(context, plan) if _begins(context, task)}


def wanted(context: Context, plan: Plan) -> dict[str, set[str]]:
    """The marks of all that is defined, by the task that derives it."""
    return {DERIVE: spread_history.marks(plan), DERIVE_CURVES: curve_history.marks(context)}


def _missing(context: Context, plan: Plan) -> Iterator[tuple[str, set[str]]]:
    done, defined = derived.marked(context.clickhouse), wanted(context, plan)
    # What is not defined any more would count as done when it comes back, after other values have taken its place.
    derived.forget(context.clickhouse, done.difference(*defined.values()))
    return ((task, marks - done) for task, marks in defined.items() if marks - done)


def _begins(context: Context, task: str) -> bool:
    begins = chains.begin(context.redis, task)
    if not begins:
        _ASKED.again = time.monotonic() + _SOON_S
    return begins
