"""`gridtick bench growth`: what a tick costs with 10 times the instruments and 100 times the stored history.

Generic ticks at the same pace for each instrument, and as many of them: ten times the instruments bring them in a
tenth of the market's time, so that what is paid once a run weighs the same. Small and large take turns; each has a
database, topics and a history of its own. The cost is CPU-seconds of every process but the broker, per million ticks;
the reference is the small one of the same round.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

import redis

from db.migrate import migrate
from local.bench import run, stored, ticks
from local.bench.pipeline import load_topic
from local.bench.run import Outcome
from local.stack import Stack, servers
from service.settings import Settings, load

Say = Callable[[str], None]
TENANT: Final = "public"
PACE_S: Final = 1.8  # of market time, from one tick of an instrument to its next


@dataclass(frozen=True, slots=True)
class Plan:
    """The small situation, how often each is measured, and how much larger the large one is."""

    data_dir: Path
    instruments: int = 3_000
    ticks: int = 1_500_000
    history: int = 100_000
    rounds: int = 3
    more_instruments: int = 10
    more_history: int = 100


@dataclass(frozen=True, slots=True)
class Situation:
    """So many instruments, publications stored before, and ticks in a round."""

    name: str
    instruments: int
    history: int
    ticks: int

    @property
    def seconds(self) -> float:
        """Of market time in a round."""
        return PACE_S * self.ticks / self.instruments


def measure(plan: Plan, say: Say) -> dict[str, object]:
    """Runs the plan on servers of its own; the result as JSON-ready values."""
    both = _situations(plan)
    with servers(plan.data_dir, say=say) as stack:
        for each in both:
            _store(_of(stack, each, 0), each, say)
        outcomes: dict[str, list[Outcome]] = {each.name: [] for each in both}
        for number in range(plan.rounds):
            for each in both:
                outcomes[each.name].append(_round(_of(stack, each, number), each, number, say))
    return _report(plan, both, outcomes)


def _situations(plan: Plan) -> tuple[Situation, Situation]:
    more = plan.more_instruments
    return (
        Situation("small", plan.instruments, plan.history, plan.ticks),
        Situation("large", more * plan.instruments, plan.more_history * plan.history, plan.ticks),
    )


def _of(stack: Stack, situation: Situation, number: int) -> Stack:
    """The same servers with a situation's database and the topic of a round."""
    own = run.of_its_own(stack, situation.name)
    topic = f"growth.{situation.name}.{number}"
    names = {"DATA_PROC_KAFKA_RAW_TOPIC": topic, "DATA_PROC_KAFKA_GROUP_ID": topic}
    return replace(own, environ={**own.environ, **names})


def _store(stack: Stack, situation: Situation, say: Say) -> None:
    settings = load(stack.environ)
    asyncio.run(migrate(settings))
    say(f"storing {situation.history} ticks of {situation.instruments} instruments")
    stored.stream(settings, situation.instruments, situation.history, TENANT, say)


def _round(stack: Stack, situation: Situation, number: int, say: Say) -> Outcome:
    settings = load(stack.environ)
    _forget(settings)
    asyncio.run(migrate(settings))
    start = ticks.START + number * timedelta(seconds=situation.seconds)
    load_of = ticks.Load(situation.ticks, situation.instruments, situation.seconds, TENANT, number, start)
    load_topic(settings, load_of)
    outcome = run.measure(stack, lambda _: None)
    cost = outcome.cpu_s / situation.ticks * 1e6
    say(f"{situation.name}: {situation.ticks / outcome.seconds:.0f} ticks/s, {cost:.1f} CPU-s a million")
    return outcome


def _forget(settings: Settings) -> None:
    """Empties Redis: what the other situation has left there is not this one's."""
    for url in (settings.redis.url, settings.celery.broker_url):
        client = redis.Redis.from_url(url.get_secret_value())
        client.flushdb()
        client.close()


def _report(plan: Plan, both: tuple[Situation, Situation], outcomes: Mapping[str, list[Outcome]]) -> dict[str, object]:
    costs = {each.name: [run.cpu_s / each.ticks * 1e6 for run in outcomes[each.name]] for each in both}
    small, large = costs.values()
    ratios = [more / less for less, more in zip(small, large, strict=True)]
    return {
        "bench": "growth",
        "rounds": plan.rounds,
        "situations": {each.name: asdict(each) for each in both},
        "cpu_seconds_per_million_ticks": {name: round(median(each), 2) for name, each in costs.items()},
        "ticks_per_second": {
            each.name: round(median(each.ticks / run.seconds for run in outcomes[each.name])) for each in both
        },
        "ratio": round(median(ratios), 2),
        "runs": {name: [asdict(each) for each in runs] for name, runs in outcomes.items()},
    }
