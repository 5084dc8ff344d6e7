"""`gridtick bench markets`: the five-minute run of all five markets at once, from produce to everything queryable.

About 35,000 prices: every node of CAISO and PJM, MISO's CPNodes, ERCOT's settlement points, NYISO's zones and
generators, a document each in the market's own format. The day's runs before it are stored, with their bars. Reference
in the same run: the time that one process takes to parse the same documents, one after the other.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.client import connect
from db.clickhouse.frames import fetch
from db.clickhouse.query import Query, instant
from db.kafka import envelopes
from db.kafka.producer import ConfirmedProducer
from db.migrate import migrate
from db.redis import landed
from db.redis.client import connect as connect_redis
from local import apps
from local.bench import caiso as caiso_sizes
from local.bench import publication, stored, usage
from local.bench.caiso import Size
from local.documents import caiso, ercot, miso, nyiso, pjm
from local.documents.prices import Price, level, seeded
from local.stack import servers
from pipeline.envelope import RawBatch
from pipeline.normalize import normalize
from service.settings import Settings, load

Say = Callable[[str], None]
FIRST: Final = datetime(2025, 11, 2, 8, tzinfo=UTC)  # a day of all five markets' at once: the next 20 hours are theirs
STEP: Final = timedelta(minutes=5)
MOST_RUNS: Final = 240  # before the first of their days ends
_DAYS: Final = """
    FROM bars FINAL WHERE tenant = {tenant:String} AND `interval` = '1d'
    AND start >= {low:DateTime64(6, 'UTC')} AND start < {high:DateTime64(6, 'UTC')}"""
_LAST: Final = f"SELECT countIf(count = {{runs:UInt32}}) AS n {_DAYS} AND instrument IN {{last:Array(String)}}"
_BARS: Final = f"SELECT sum(count) AS n {_DAYS}"
_LOOK_S: Final = 0.03  # at one instrument of each market: to count all takes the processors of those that make them


@dataclass(frozen=True, slots=True)
class Plan:
    """`scale`: of the full number of locations; `stored`: runs before, `rounds`: runs that are measured."""

    data_dir: Path
    scale: float = 1.0
    stored: int = 220
    rounds: int = 10


class Run(NamedTuple):
    """One market's document of one run: `prefix` of its instruments, how many there are, and the `last` one."""

    prefix: str
    prices: int
    last: str
    name: str
    content: bytes


def measure(plan: Plan, say: Say) -> dict[str, Any]:
    """Runs the plan on servers of its own; the result as JSON-ready values."""
    if plan.stored + plan.rounds > MOST_RUNS:
        raise ValueError(f"{plan.stored + plan.rounds} runs are more than the {MOST_RUNS} of the day")
    with servers(plan.data_dir, say=say) as stack:
        settings = load(stack.environ)
        _store(settings, plan, say)
        stack.supervisor.start([apps.workers(stack), apps.bridge(stack)])
        publication.until_ready(settings)
        usage.until_quiet(stack.supervisor.pids()["workers"])
        outcomes = [_sent(settings, plan, plan.stored + number, say) for number in range(plan.rounds)]
    seconds, alone = zip(*outcomes, strict=True)
    prices = sum(run.prices for run in runs(FIRST, plan.scale))
    return {
        "bench": "markets", "prices": prices, "runs_stored_before": plan.stored, "rounds": plan.rounds,
        "seconds_median": round(median(seconds), 2), "seconds_worst": round(max(seconds), 2),
        "ratio_to_parsing_alone": round(median(took / parsed for took, parsed in outcomes), 2),
        "parse_seconds_median": round(median(alone), 2), "seconds": [round(each, 2) for each in seconds],
    }  # fmt: skip


def runs(start: datetime, scale: float) -> list[Run]:
    """The documents of the interval that begins at `start`."""
    size = Size(round(caiso_sizes.NODES * scale))
    name = caiso_sizes.name(caiso.RTM, [start])
    of_pjm = [str(40_000_000 + number) for number in range(round(13_500 * scale))]
    of_miso = [f"ALTW.NODE{number}" for number in range(round(2_600 * scale))]
    of_ercot = [*ercot.POINTS, *(f"UNIT{number}_RN" for number in range(round(1_105 * scale)))]
    of_nyiso = [*nyiso.ZONES, *(f"PLANT {number}" for number in range(round(750 * scale)))]
    run = start + timedelta(seconds=17)
    day = start.astimezone(nyiso.EASTERN).date()
    return [
        Run(
            "caiso.rt_5min.",
            size.nodes,
            caiso_sizes.names(size)[-1],
            name,
            caiso_sizes.document(caiso.RTM, [start], size),
        ),
        _run("pjm.rt_5min.", of_pjm, pjm.unverified("rt_unverified_fivemin_lmps", _prices(of_pjm, start))),
        _run("miso.rt_5min.", of_miso, miso.five_minutes(_prices(of_miso, start))),
        _run("ercot.rt_sced.", of_ercot, ercot.sced(_prices(of_ercot, run))),
        _run("nyiso.rt_5min.", of_nyiso, nyiso.realtime(day, _prices(of_nyiso, start))),
    ]


def _run(prefix: str, nodes: Sequence[str], document: tuple[str, bytes]) -> Run:
    return Run(prefix, len(nodes), nodes[-1], *document)


def _prices(nodes: Sequence[str], start: datetime) -> list[Price]:
    noise, around = seeded("markets", start).gauss, level(start, UTC)
    return [Price(node, start, around + noise(0, 4)) for node in nodes]


def _store(settings: Settings, plan: Plan, say: Say) -> None:
    """The runs before, made of the first one's: the same prices at other times."""
    asyncio.run(migrate(settings))
    values = [_message(run, FIRST) for run in runs(FIRST, plan.scale)]
    known = [int(FIRST.timestamp() * 1_000_000)] * len(values)
    first = normalize(RawBatch("stored", 0, list(range(len(values))), known, values), publication.TENANT).ticks
    asyncio.run(stored.register(settings, first))
    with closing(connect(settings.clickhouse)) as client:
        for at in range(0, plan.stored, stored.AT_ONCE):
            numbers = range(at, min(at + stored.AT_ONCE, plan.stored))
            stored.keep(client, pl.concat([_later(first, number) for number in numbers]))
            say(f"{numbers.stop} runs stored")


def _later(first: pl.DataFrame, number: int) -> pl.DataFrame:
    instants = pl.col("ts", "start", "end", "hold_end", "known_at") + number * STEP
    return first.with_columns(instants, offset=pl.col("offset") + 10 * number)


def _message(run: Run, at: datetime) -> bytes:
    return envelopes.document(run.content, run.name, at, publication.TENANT, "bench", None, None)


def _sent(settings: Settings, plan: Plan, number: int, say: Say) -> tuple[float, float]:
    """(seconds until all of one run can be queried, seconds that parsing alone takes)."""
    start = FIRST + number * STEP
    found = runs(start, plan.scale)
    alone = sum(publication.parsed(run.content, run.name)[1] for run in found)
    values = [_message(run, start) for run in found]
    producer = ConfirmedProducer(settings.kafka.bootstrap, settings.kafka.message_max_bytes)
    with (
        closing(connect(settings.clickhouse)) as client,
        closing(connect_redis(settings.redis.url.get_secret_value())) as redis,
    ):
        before = landed.newest(redis)
        began = time.monotonic()
        for value, run in zip(values, found, strict=True):
            producer.send(settings.kafka.raw_topic, value, run.prefix.encode())
        publication.until_told(redis, before, tuple(run.prefix for run in found), sum(run.prices for run in found))
        _until_stored(client, found, number + 1)
        took = time.monotonic() - began
    say(f"all five markets: {took:.2f} s (parsing alone {alone:.2f} s)")
    publication.until_landed(settings, "live")
    return took, alone


def _until_stored(client: Client, found: Sequence[Run], runs_sent: int) -> None:
    """Returns once the day's bar of every instrument holds its price of every run; the finer ones do so before."""
    span = {"low": instant(FIRST - timedelta(hours=8)), "high": instant(FIRST + timedelta(hours=12))}
    given = {"tenant": publication.TENANT, "runs": runs_sent, "last": [run.prefix + run.last for run in found], **span}
    prices = sum(run.prices for run in found)
    for sql, wanted in ((_LAST, len(found)), (_BARS, runs_sent * prices)):
        query = Query(sql, given)
        publication.until(lambda query=query: fetch(client, query)["n"][0], wanted, _LOOK_S)
