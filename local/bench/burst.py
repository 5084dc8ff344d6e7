"""`gridtick bench run`: a publication of all nodes of CAISO, from produce to every price, bar and latest queryable.

The day is nearly over in the store: 287 five-minute runs of 16,600 nodes lie there, with their bars, before the first
measured run. It is the day of 25 hours, so that ten more runs of the same day follow. Then day-ahead publications of
the next days, one document each. Reference in the same run: the time that one process takes to unpack and parse the
same document, and nothing else.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from local import apps
from local.bench import caiso, publication, stored, usage
from local.bench.caiso import Size
from local.bench.publication import Outcome, Publisher
from local.documents.caiso import DAM, RTM
from local.stack import Stack, servers
from service.settings import Settings, load

Say = Callable[[str], None]
DAY: Final = datetime(2025, 11, 2, 7, tzinfo=UTC)  # midnight in California, of the day of 25 hours
RUNS: Final = 287


@dataclass(frozen=True, slots=True)
class Plan:
    """How many nodes, how many runs are stored before, how many are measured of each publication."""

    data_dir: Path
    nodes: int = caiso.NODES
    stored: int = RUNS
    rounds: int = 10


def measure(plan: Plan, say: Say) -> dict[str, object]:
    """Runs the plan on servers of its own; the result as JSON-ready values."""
    size = Size(plan.nodes)
    with servers(plan.data_dir, say=say) as stack:
        settings = load(stack.environ)
        with prepared(stack, settings, plan.stored, size, say) as publisher:
            runs = [publisher.sent(RTM, [start], DAY) for start in runs_after(plan.stored, plan.rounds)]
            days = [publisher.sent(DAM, starts, starts[0]) for starts in _days(plan.rounds)]
    return _report(plan, {"rt_5min": runs, "da_hourly": days})


@contextmanager
def prepared(stack: Stack, settings: Settings, runs: int, size: Size, say: Say) -> Generator[Publisher]:
    """A day of so many runs in the store, the live lane at rest, and who sends it more."""
    say(f"storing {runs} runs of {size.nodes} nodes")
    stored.day(settings, caiso.steps(DAY, RTM.length, runs), size, say)
    stack.supervisor.start([apps.workers(stack), apps.bridge(stack)])
    publication.until_ready(settings)
    usage.until_quiet(stack.supervisor.pids()["workers"])
    with closing(Publisher(settings, size, say)) as publisher:
        yield publisher


def runs_after(stored_runs: int, count: int) -> Sequence[datetime]:
    """The next runs of the day."""
    return caiso.steps(DAY + RTM.length * stored_runs, RTM.length, count)


def _days(count: int) -> Iterator[Sequence[datetime]]:
    for number in range(count):
        yield caiso.steps(DAY + timedelta(hours=25 + 24 * number), DAM.length, 24)


def _report(plan: Plan, outcomes: dict[str, list[Outcome]]) -> dict[str, object]:
    return {
        "bench": "run",
        "nodes": plan.nodes,
        "runs_stored_before": plan.stored,
        "rounds": plan.rounds,
        "seconds_median": {name: round(median(each.seconds for each in runs), 2) for name, runs in outcomes.items()},
        "seconds_worst": {name: round(max(each.seconds for each in runs), 2) for name, runs in outcomes.items()},
        "ratio_to_parsing_alone": {
            name: round(median(each.seconds / each.parse_seconds for each in runs), 2)
            for name, runs in outcomes.items()
        },
        "runs": {name: [asdict(each) for each in runs] for name, runs in outcomes.items()},
    }
