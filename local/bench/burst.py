"""`gridtick bench run`: a publication of all nodes of CAISO, from produce to every price, bar and latest queryable.

The day is nearly over in the store: 287 five-minute runs of 16,600 nodes lie there, with their bars, before the first
measured run. It is the day of 25 hours, so that ten more runs of the same day follow. Then day-ahead publications of
the next days, one document each. Reference in the same run: the time that one process takes to unpack and parse the
same document, and nothing else.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from redis import Redis

from db.clickhouse.client import connect, fetch
from db.clickhouse.query import Query, instant
from db.kafka import envelopes
from db.kafka.producer import ConfirmedProducer
from db.redis import generation, landed
from db.redis.client import connect as connect_redis
from local import apps
from local.bench import caiso, stored, usage
from local.bench.caiso import Size
from local.oasis import DAM, RTM, Report
from local.stack import servers
from pipeline import members
from pipeline.errors import DataProcessingError
from service.settings import Settings, load

Say = Callable[[str], None]
DAY: Final = datetime(2025, 11, 2, 7, tzinfo=UTC)  # midnight in California, of the day of 25 hours
RUNS: Final = 287
_PATIENCE_S: Final = 120.0
_LOOK_S: Final = 0.005
_OF: Final = (
    "product = {product:String} AND start >= {low:DateTime64(6, 'UTC')} AND start < {high:DateTime64(6, 'UTC')}"
)
_TICKS: Final = f"SELECT count() AS n FROM ticks FINAL WHERE {_OF}"  # noqa: S608 - of constants
_BARS: Final = """
    SELECT sum(count) AS n FROM bars FINAL WHERE `interval` = {interval:String}
    AND startsWith(instrument, {prefix:String})
    AND start >= {low:DateTime64(6, 'UTC')} AND start < {high:DateTime64(6, 'UTC')}"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many nodes, how many runs are stored before, how many are measured of each publication."""

    data_dir: Path
    nodes: int = caiso.NODES
    stored: int = RUNS
    rounds: int = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """One publication: seconds until everything could be queried, and what parsing alone took in this process."""

    seconds: float
    parse_seconds: float
    bytes: int
    prices: int


def measure(plan: Plan, say: Say) -> dict[str, object]:
    """Runs the plan on servers of its own; the result as JSON-ready values."""
    size = Size(plan.nodes)
    with servers(plan.data_dir, say=say) as stack:
        settings = load(stack.environ)
        say(f"storing {plan.stored} runs of {plan.nodes} nodes")
        stored.day(settings, caiso.steps(DAY, RTM.length, plan.stored), size, say)
        stack.supervisor.start([apps.workers(stack), apps.bridge(stack)])
        _until_ready(settings)
        usage.until_quiet(stack.supervisor.pids()["workers"])
        runs = [_sent(settings, RTM, [start], size, say) for start in _runs(plan)]
        days = [_sent(settings, DAM, starts, size, say) for starts in _days(plan)]
    return _report(plan, {"rt_5min": runs, "da_hourly": days})


def _runs(plan: Plan) -> Sequence[datetime]:
    return caiso.steps(DAY + RTM.length * plan.stored, RTM.length, plan.rounds)


def _days(plan: Plan) -> Iterator[Sequence[datetime]]:
    for number in range(plan.rounds):
        yield caiso.steps(DAY + timedelta(hours=25 + 24 * number), DAM.length, 24)


def _sent(settings: Settings, report: Report, starts: Sequence[datetime], size: Size, say: Say) -> Outcome:
    """Sends one document and waits until all of it can be queried."""
    # A day-ahead publication of all components is larger than a message may be: its prices alone are sent.
    content = caiso.document(report, starts, size, components=1 if report is DAM else 5)
    began = time.monotonic()
    parsed = members.read(content, caiso.name(report, starts)).ticks.height
    alone = time.monotonic() - began
    name = caiso.name(report, starts)
    message = envelopes.document(content, name, starts[0], "public", "bench", None, None)
    redis = connect_redis(settings.redis.url.get_secret_value())
    before = landed.newest(redis)
    producer = ConfirmedProducer(settings.kafka.bootstrap, settings.kafka.message_max_bytes)
    began = time.monotonic()
    producer.send(settings.kafka.raw_topic, message, name.encode())
    _until_told(redis, before, size.nodes)
    took = time.monotonic() - began
    _require_all(settings, report, starts, size)
    say(f"{report.market}: {took:.2f} s (parsing alone {alone:.2f} s)")
    return Outcome(took, alone, len(message), parsed)


def _until_ready(settings: Settings) -> None:
    """The latest prices are in Redis: what the bridge has made again when it finds none."""
    redis = connect_redis(settings.redis.url.get_secret_value())
    deadline = time.monotonic() + _PATIENCE_S
    while generation.read(redis).state != "ready":
        _wait(deadline, "the latest prices")
    redis.close()


def _until_told(redis: Redis, position: str, nodes: int) -> None:
    """Returns once the landed log tells of a latest price of every node: bars and ticks are stored before it does."""
    told, deadline = 0, time.monotonic() + _PATIENCE_S
    while told < nodes:
        found = landed.read(redis, position)
        position = found.position
        told += sum(len(entry.changes) for entry in found.entries if entry.kind == "latest")
        _wait(deadline, f"{nodes} latest prices, of which {told} are there")


def _wait(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise DataProcessingError(f"{_PATIENCE_S:.0f} s were not enough for {what}", "cli")
    time.sleep(_LOOK_S)


def _require_all(settings: Settings, report: Report, starts: Sequence[datetime], size: Size) -> None:
    """Raises unless every price and the bars that hold it are found, in every interval, right now."""
    client, wanted = connect(settings.clickhouse), size.nodes * len(starts)
    product, intervals = {DAM: ("da_hourly", ("1h",)), RTM: ("rt_5min", ("5m",))}[report]
    span = {"low": instant(starts[0]), "high": instant(starts[-1] + report.length)}
    found = {"ticks": fetch(client, Query(_TICKS, {"product": product, **span}))["n"][0]}
    for interval in intervals:
        given = {"interval": interval, "prefix": f"caiso.{product}.", **span}
        found[interval] = fetch(client, Query(_BARS, given))["n"][0]
    client.close()
    if set(found.values()) != {wanted}:
        raise DataProcessingError(f"{wanted} prices should be there, there are {found}", "cli")


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
