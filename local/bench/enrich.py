"""`gridtick bench enrich`: what joining the reference costs, as a share of the time that the pipeline takes for a tick.

The stages one after the other in this process, on servers of its own: normalize, enrich and store of each batch, then
one pass of all of them. The
reference holds so many instruments, registered and classified by the rules that come with the program, and the ticks
are of them at random. Beside it what follows a change of the reference: all of it read, and classified anew.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.bars import run_pass
from db.clickhouse.client import connect
from db.clickhouse.ticks import insert_ticks
from db.migrate import migrate
from db.postgres.engine import make_engine
from db.reference import snapshot
from db.reference.snapshot import INSTRUMENTS, Snapshot
from local.bench import stored, ticks
from local.bench.ticks import Load
from local.stack import servers
from pipeline.bars import touched, united
from pipeline.enrich import enrich
from pipeline.envelope import RawBatch
from pipeline.normalize import normalize
from pipeline.reference.known import Tables, held
from service.settings import Settings, load

Say = Callable[[str], None]
T = TypeVar("T")
BATCH: Final = 5_000  # messages
TENANT: Final = "tenant_1"
DAY: Final = date(2026, 1, 1)
MOST: Final = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """How many ticks, of how many instruments, how often."""

    data_dir: Path
    ticks: int
    instruments: int
    rounds: int


class Clock:
    """The seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, stage: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        made = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began
        return made


def measure(plan: Plan, say: Say) -> dict[str, Any]:
    """Runs the plan; the result as JSON-ready values."""
    with servers(plan.data_dir, say=say) as stack:
        settings = load(stack.environ)
        asyncio.run(migrate(settings))
        asyncio.run(stored.register(settings, next(ticks.history(plan.instruments, 1, ticks.START, TENANT))))
        batches = list(_batches(plan))
        change, reference, tables = _changed(settings)
        say(f"{reference.height} instruments: {change}")
        with closing(connect(settings.clickhouse)) as client:
            rounds = [_round(client, batches, reference, tables, say) for _ in range(plan.rounds)]
    return _report(plan, rounds, change)


def _batches(plan: Plan) -> Iterator[RawBatch]:
    values = [value for _, value in ticks.messages(Load(plan.ticks, plan.instruments, tenant=TENANT))]
    for at in range(0, len(values), BATCH):
        some = values[at : at + BATCH]
        offsets = list(range(at, at + len(some)))
        yield RawBatch("bench", 0, offsets, [1_767_225_600_000_000 + offset for offset in offsets], some)


def _changed(settings: Settings) -> tuple[dict[str, float], pl.DataFrame, Tables]:
    """What a change of the reference costs a process, in seconds, and what is known then."""
    clock = Clock()
    found = clock.timed("read from PostgreSQL", lambda: asyncio.run(_read(settings)))
    blob = clock.timed("to bytes", lambda: snapshot.to_bytes(found))
    clock.timed("from bytes", lambda: snapshot.from_bytes(blob))
    instruments = found.tables[INSTRUMENTS]
    before = clock.timed("classified", lambda: held(instruments, found.tables, 1, DAY, None))
    more = pl.concat([instruments, instruments.head(1).with_columns(instrument=pl.lit("one more"))])
    clock.timed("one more classified", lambda: held(more, found.tables, 1, DAY, before))
    return {name: round(each, 4) for name, each in clock.seconds.items()}, before.known, found.tables


async def _read(settings: Settings) -> Snapshot:
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    try:
        return await snapshot.read(engine)
    finally:
        await engine.dispose()


def _round(
    client: Client, batches: list[RawBatch], reference: pl.DataFrame, tables: Tables, say: Say
) -> dict[str, float]:
    clock, buckets = Clock(), list[pl.DataFrame]()
    for batch in batches:
        found = clock.timed("normalize", lambda batch=batch: normalize(batch, "public").ticks)
        joined = clock.timed("enrich", lambda found=found: enrich(found, reference, tables, DAY).ticks)
        clock.timed("store", lambda joined=joined: insert_ticks(client, joined))
        buckets.append(clock.timed("pass", lambda joined=joined: touched(joined)))
    clock.timed("pass", lambda: run_pass(client, united(buckets), lambda _: None))
    say(", ".join(f"{name} {each:.2f} s" for name, each in clock.seconds.items()))
    return clock.seconds


def _report(plan: Plan, rounds: list[dict[str, float]], change: dict[str, float]) -> dict[str, Any]:
    stages = {name: round(median(each[name] for each in rounds), 4) for name in rounds[0]}
    share = median(each["enrich"] / sum(each.values()) for each in rounds)
    return {
        "bench": "enrich", "ticks": plan.ticks, "instruments": plan.instruments, "rounds": plan.rounds,
        "seconds": stages, "share": round(share, 4), "most": MOST, "after_a_change_s": change,
    }  # fmt: skip
