"""Which definitions lack their history: of a new or changed one the values follow from all that is stored, once."""

import time
from typing import Final

from db.clickhouse import derived
from pipeline.spreads.plan import Plan
from workers import curves, spreads
from workers.context import Context
from workers.queues import DERIVE, DERIVE_CURVES

SEEN_BY_ALL_S: Final = 15.0  # after which every worker has the new reference: a pass that has not would leave a gap
_AGAIN_S: Final = 600.0  # a task may be lost


class _Asked:
    """For which plan it was asked last, and when it is asked again."""

    plan: Plan | None = None
    again: float = 0.0


_ASKED: Final = _Asked()


def undone(context: Context, plan: Plan) -> dict[str, list[str]]:
    """The tasks that derive what is missing, each with its marks; of one reference this process asks now and then."""
    if plan is _ASKED.plan and time.monotonic() < _ASKED.again:
        return {}
    _ASKED.plan, _ASKED.again = plan, time.monotonic() + _AGAIN_S
    done = derived.marked(context.clickhouse)
    wanted = {DERIVE: spreads.marks(plan), DERIVE_CURVES: curves.marks(context)}
    # What is not defined any more would count as done when it comes back, after other values have taken its place.
    derived.forget(context.clickhouse, done.difference(*wanted.values()))
    missing = {task: marks - done for task, marks in wanted.items()}
    return {task: sorted(marks) for task, marks in missing.items() if marks}
