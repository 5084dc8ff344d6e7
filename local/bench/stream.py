"""`gridtick bench stream`: how many frames a second reach clients, beside a bare `websockets` broadcast of the same
bytes; how long a price takes from its topic to a client; what an idle client costs.

The API is a process of its own on real servers. What it sends is added to the landed log by the function that workers
use, so reading the log, rendering and dispatching are part of it; the bare broadcast has the text of a frame at hand.
Clients of both are the same program, in another process, which counts frames and parses nothing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from db.migrate import migrate
from local import ports
from local.bench import api_servers, run, stream_crowd, stream_delay, stream_load, ticks
from local.bench.api_feed import TENANT
from local.bench.pipeline import load_topic
from local.stack import API_PORT, Stack, servers
from local.supervisor import Supervisor
from service.settings import load

Say = Callable[[str], None]
_WARM: Final = 10_000  # ticks
_LIMITS: Final = {"DATA_PROC_API_STREAM_CONNECTIONS": 100_000, "DATA_PROC_API_STREAM_CONNECTIONS_OF_KEY": 100_000}


@dataclass(frozen=True, slots=True)
class Plan:
    """`clients`: how many there are, each in turn; `sent`: frames to all of them together; `seconds` of ticks at 1,000
    a second."""

    data_dir: Path
    clients: tuple[int, ...] = (100, 1000)
    sent: int = 300_000
    rounds: int = 3
    seconds: float = 60.0


def measure(plan: Plan, say: Say) -> dict[str, Any]:
    """Runs the plan on servers of its own; the result as JSON-ready values."""
    with servers(plan.data_dir, say=say) as bare:
        stack, supervisor = _with_limits(api_servers.with_ports(bare)), Supervisor(say)
        settings = load(stack.environ)
        asyncio.run(migrate(settings))
        stream_load.register(settings)
        try:
            key = api_servers.start_api(stack, supervisor)
            port = int(stack.environ[API_PORT])
            text = stream_crowd.sample(port, key, stream_load.Feed(settings))
            crowds = {str(clients): _crowd(plan, stack, clients, key, text, say) for clients in plan.clients}
            idle = stream_crowd.idle(supervisor.pids()["api"], port, key, max(plan.clients), plan.seconds)
            say("a few ticks through the whole pipeline first")
            load_topic(settings, ticks.Load(_WARM, api_servers.INSTRUMENTS, tenant=TENANT))
            run.measure(stack, say)
            delays = stream_delay.measure(stack, supervisor, key, plan.seconds, say)
        finally:
            supervisor.stop()
    return {"bench": "stream", "frame_bytes": len(text), "frames": crowds, "idle": idle, "delay": delays}


def _crowd(plan: Plan, stack: Stack, clients: int, key: str, text: str, say: Say) -> dict[str, Any]:
    """Frames a second of both, in turn."""
    frames, own, bare = max(1, plan.sent // clients), list[float](), list[float]()
    feed = stream_load.Feed(load(stack.environ))
    for _ in range(plan.rounds):
        own.append(stream_crowd.own(int(stack.environ[API_PORT]), clients, frames, key, feed))
        bare_port = ports.choose(stack.data_dir, {"bare": None})["bare"]
        bare.append(stream_crowd.bare(bare_port, clients, frames, text, stack.data_dir))
        say(f"{clients} clients: {own[-1]:,.0f} frames/s, bare {bare[-1]:,.0f}")
    ratios = [one / other for one, other in zip(own, bare, strict=True)]
    return {"ratio": round(median(ratios), 2), "gridtick": round(median(own)), "bare": round(median(bare))}


def _with_limits(stack: Stack) -> Stack:
    return replace(stack, environ={**stack.environ, **{name: str(value) for name, value in _LIMITS.items()}})
