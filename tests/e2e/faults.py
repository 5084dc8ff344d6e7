"""Faults at seeded moments of the work: killed workers, killed bridges, an emptied Redis."""

import random
from collections.abc import Callable
from typing import NamedTuple

import psutil
import redis

from tests.e2e.system import System
from tests.polling import until


class Fault(NamedTuple):
    """What happens, and after which share of the load has landed."""

    name: str
    share: float


def plan(workers: int, bridges: int, empties: int, seed: int) -> list[Fault]:
    """So many faults of each kind, at random moments, in order of time."""
    rng = random.Random(seed)
    names = ["worker"] * workers + ["bridge"] * bridges + ["redis"] * empties
    rng.shuffle(names)
    shares = sorted(rng.uniform(0.02, 0.95) for _ in names)
    return [Fault(name, share) for name, share in zip(names, shares, strict=True)]


def inject(fault: Fault, system: System, rng: random.Random) -> None:
    """Makes the fault happen now."""
    happenings: dict[str, Callable[[], None]] = {
        "worker": lambda: _kill_worker(system, rng),
        "bridge": lambda: _kill("bridge", system),
        "redis": lambda: _empty_redis(system),
    }
    happenings[fault.name]()


def _kill_worker(system: System, rng: random.Random) -> None:
    """One of the processes that run tasks, or the one above them."""
    above = system.process("workers")
    family = [child for child in above.children(recursive=True) if child.is_running()]
    victim = rng.choice([above, *family, *family])
    if victim == above:
        _kill("workers", system)
    else:
        _gone(victim)


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
