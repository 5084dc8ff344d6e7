"""`gridtick bench pipeline`: ticks from the raw topic to stored ticks, bars and latest prices, beside peers."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import redis
from confluent_kafka import Producer

from db.kafka.admin import make_admin
from db.kafka.topics import ensure_topics
from db.migrate import migrate
from local.bench import peers, run, ticks
from local.bench.run import Outcome
from local.stack import Stack, servers
from service.settings import Settings, load

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, how often, and which peers. Rounds alternate: Gridtick, then every peer, and again."""

    ticks: int
    rounds: int
    data_dir: Path
    programs: Path | None = None
    python: Path | None = None
    flink: Path | None = None


def measure(plan: Plan, say: Say) -> dict[str, object]:
    """Runs the plan on servers of its own; the result as JSON-ready values."""
    with servers(plan.data_dir, say=say) as stack:
        settings = load(stack.environ)
        say(f"loading {plan.ticks} ticks")
        load_topic(settings, ticks.Load(plan.ticks))
        outcomes: dict[str, list[Outcome]] = {}
        for number in range(plan.rounds):
            outcomes.setdefault("gridtick", []).append(_own(stack, number, say))
            for name in peers.installed(plan.programs, plan.python, plan.flink):
                outcomes.setdefault(name, []).append(_peer(name, settings, plan, say))
        return _report(plan, outcomes)


def load_topic(settings: Settings, load_of: ticks.Load) -> None:
    """Fills the raw topic; returns when the broker has everything."""
    producer = Producer({
        "bootstrap.servers": settings.kafka.bootstrap, "linger.ms": 50, "log_level": 0, "compression.type": "lz4",
        "queue.buffering.max.messages": 500_000,
    })  # fmt: skip
    for key, value in ticks.messages(load_of):
        while True:
            try:
                producer.produce(settings.kafka.raw_topic, value, key)
                break
            except BufferError:
                producer.poll(0.2)
    producer.flush()


def _own(stack: Stack, number: int, say: Say) -> Outcome:
    own = run.of_its_own(stack, str(number))
    settings = load(own.environ)
    for url in (settings.redis.url, settings.celery.broker_url):
        client = redis.Redis.from_url(url.get_secret_value())
        client.flushdb()
        client.close()
    asyncio.run(migrate(settings))
    outcome = run.measure(own, lambda _: None)
    say(f"gridtick: {outcome.seconds:.1f} s, {outcome.cpu_s:.1f} CPU-s")
    return outcome


def _peer(name: str, settings: Settings, plan: Plan, say: Say) -> Outcome:
    kafka = settings.kafka
    if name == "flink":
        ensure_topics(make_admin(kafka.bootstrap), {peers.flink_bars(kafka.raw_topic): {}}, kafka.partitions)
    peer = peers.made(name, kafka.raw_topic, kafka.bootstrap, plan.ticks, plan.programs, plan.python, plan.flink)
    outcome = peers.measure(peer)
    say(f"{name}: {outcome.seconds:.1f} s, {outcome.cpu_s:.1f} CPU-s")
    return outcome


def _report(plan: Plan, outcomes: dict[str, list[Outcome]]) -> dict[str, object]:
    rates = {name: median(plan.ticks / each.seconds for each in runs) for name, runs in outcomes.items()}
    cpu = {name: median(each.cpu_s / plan.ticks * 1e6 for each in runs) for name, runs in outcomes.items()}
    own = outcomes["gridtick"]
    return {
        "bench": "pipeline",
        "ticks": plan.ticks,
        "rounds": plan.rounds,
        "ticks_per_second": {name: round(rate) for name, rate in rates.items()},
        "cpu_seconds_per_million_ticks": {name: round(each, 2) for name, each in cpu.items()},
        "rate_ratio": {name: round(rates["gridtick"] / rate, 2) for name, rate in rates.items() if name != "gridtick"},
        "cpu_ratio": {name: round(cpu["gridtick"] / each, 2) for name, each in cpu.items() if name != "gridtick"},
        "bridge_mib": round(max(each.bridge_mib for each in own)),
        "worker_mib": round(max(each.worker_mib for each in own)),
        "runs": {name: [asdict(each) for each in runs] for name, runs in outcomes.items()},
    }
