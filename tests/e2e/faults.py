"""Faults at seeded moments of the work: a killed worker process, all of them, a killed bridge, an emptied Redis."""

import random
from collections.abc import Callable
from typing import Final, NamedTuple

import psutil
import redis

from tests.e2e.system import System
from tests.polling import until


class Fault(NamedTuple):
    """What happens, and after which share of the load has landed."""

    name: str
    share: float


A_ROUND: Final = ("worker", "worker", "workers", "bridge", "redis")


def plan(rounds: int, seed: int) -> list[Fault]:
    """So many times every fault of a round, at random moments, in order of time."""
    rng = random.Random(seed)
    names = [*A_ROUND] * rounds
    rng.shuffle(names)
    shares = sorted(rng.uniform(0.02, 0.95) for _ in names)
    return [Fault(name, share) for name, share in zip(names, shares, strict=True)]


def inject(fault: Fault, system: System, rng: random.Random) -> None:
    """Makes the fault happen now."""
    happenings: dict[str, Callable[[], None]] = {
        "worker": lambda: _kill_one_of_the_workers(system, rng),
        "workers": lambda: _kill("workers", system),
        "bridge": lambda: _kill("bridge", system),
        "redis": lambda: _empty_redis(system),
    }
    happenings[fault.name]()


def _kill_one_of_the_workers(system: System, rng: random.Random) -> None:
    """One of the processes that run tasks; the one above them starts another."""
    family = [child for child in system.process("workers").children(recursive=True) if child.is_running()]
    if family:  # else they are being started
        _gone(rng.choice(family))


def _kill(name: str, system: System) -> None:
    victim = system.process(name)
    _gone(victim)
    until(lambda: system.pid(name) not in (None, victim.pid), 30, f"{name} is started again")


def _gone(victim: psutil.Process) -> None:
    victim.kill()
    psutil.wait_procs([victim], timeout=10)


def _empty_redis(system: System) -> None:
    settings = system.settings
    for url in (settings.redis.url, settings.celery.broker_url):
        client = redis.Redis.from_url(url.get_secret_value())
        client.flushall()
        client.close()
