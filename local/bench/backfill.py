"""`gridtick bench backfill`: how long a live publication takes beside a backfill, and how fast the backfill is.

Runs of all nodes are measured as `gridtick bench run` does, first alone, then while day-ahead documents of 5 million
prices go through the lane of history. The reference is the same publication of the same minutes without it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from db.kafka.producer import ConfirmedProducer
from local import apps, overview
from local.bench import burst, caiso, publication
from local.bench.burst import DAY
from local.bench.caiso import Size
from local.bench.publication import Outcome
from local.documents.caiso import DAM, RTM
from local.stack import servers
from pipeline.errors import DataProcessingError
from service.settings import Settings, load

Say = Callable[[str], None]
PRICES: Final = 5_000_000
_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How many nodes, how many runs are stored before, how many are measured each way, how many prices of history."""

    data_dir: Path
    nodes: int = caiso.NODES
    stored: int = burst.RUNS
    rounds: int = 10
    prices: int = PRICES


@dataclass(frozen=True, slots=True)
class _Backfill:
    """What has landed of it while the live runs were measured; `left`: documents that had not."""

    documents: int
    landed: int
    left: int
    seconds: float


def measure(plan: Plan, say: Say) -> dict[str, object]:
    """Runs the plan on servers of its own; the result as JSON-ready values."""
    size = Size(plan.nodes)
    with servers(plan.data_dir, say=say) as stack:
        settings = load(stack.environ)
        starts = burst.runs_after(plan.stored, 2 * plan.rounds)
        with burst.prepared(stack, settings, plan.stored, size, say) as publisher:
            alone = [publisher.sent(RTM, [start], DAY) for start in starts[: plan.rounds]]
            stack.supervisor.start(apps.backfill(stack))
            sent = _send(settings, _days(plan), size, say)
            began, before = time.monotonic(), _landed(settings)
            beside = [publisher.sent(RTM, [start], DAY) for start in starts[plan.rounds :]]
            done = _landed(settings)
        backfill = _Backfill(sent, done - before, sent - done, time.monotonic() - began)
    return _report(plan, alone, beside, backfill)


def _days(plan: Plan) -> Iterator[Sequence[datetime]]:
    """Days before the live one, newest first, until there are prices enough."""
    for number in range(-(-plan.prices // (24 * plan.nodes))):
        yield caiso.steps(DAY - timedelta(days=number + 1), DAM.length, 24)


def _send(settings: Settings, days: Iterator[Sequence[datetime]], size: Size, say: Say) -> int:
    """The whole history to its topic; returns when the first of it is being worked on."""
    producer = ConfirmedProducer(settings.kafka.bootstrap, settings.kafka.message_max_bytes)
    count = 0
    for starts in days:
        content = publication.document(DAM, starts, size)
        producer.send(settings.kafka.backfill_topic, publication.message(DAM, starts, content))
        count += 1
    producer.flush()
    say(f"{count} documents of history sent")
    while not _landed(settings):
        time.sleep(_LOOK_S)
    return count


def _landed(settings: Settings) -> int:
    """Documents of history that have landed."""
    return sum(each.committed for each in overview.lags(settings.kafka, "backfill"))


def _report(plan: Plan, alone: list[Outcome], beside: list[Outcome], backfill: _Backfill) -> dict[str, object]:
    if not backfill.left:
        raise DataProcessingError("the backfill ended before the live runs: give it more prices", "cli")
    medians = {name: median(each.seconds for each in runs) for name, runs in (("alone", alone), ("beside", beside))}
    return {
        "bench": "backfill",
        "nodes": plan.nodes,
        "runs_stored_before": plan.stored,
        "rounds": plan.rounds,
        "seconds_median": {name: round(seconds, 2) for name, seconds in medians.items()},
        "grows_by": round(medians["beside"] / medians["alone"] - 1, 2),
        "backfill": {
            "prices": backfill.documents * 24 * plan.nodes,
            "prices_per_second_beside_live": round(backfill.landed * 24 * plan.nodes / backfill.seconds),
            "documents_left_at_the_end": backfill.left,
        },
        "runs": {"alone": [asdict(each) for each in alone], "beside": [asdict(each) for each in beside]},
    }
