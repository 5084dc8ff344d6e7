"""What `gridtick bench api` runs on: a day of prices, the API, bare routes beside it, and ingest on demand."""

import asyncio
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final
from urllib.request import Request, urlopen

from db.demo_key import ensure_demo_key
from db.migrate import migrate
from db.redis import generation
from db.redis.client import connect
from local import apps, ports
from local.bench import api_client, run, ticks
from local.bench.api_feed import TENANT
from local.bench.pipeline import load_topic
from local.paths import PROGRAM_ROOT
from local.process import Program
from local.stack import API_PORT, Stack
from local.supervisor import Supervisor
from service.settings import load

Say = Callable[[str], None]

INSTRUMENTS: Final = 2_000
A_DAY: Final = 288  # ticks of an instrument in its day, on average
DAY_S: Final = 86_400.0
INGESTED: Final = 1_000  # ticks a second
_ASKED: Final = 1_000
_PATIENCE_S: Final = 120.0
_LOOK_S: Final = 0.1
_LATEST: Final = "/v1/prices/latest"


@dataclass(frozen=True, slots=True)
class Case:
    """One request as it goes over the wire, and where the bare route that answers the same bytes listens."""

    name: str
    wire: bytes
    bare_port: int


def load_day(stack: Stack, a_day: int, say: Say) -> None:
    """Brings a day of `a_day` ticks of each instrument through the whole pipeline; returns when all can be read."""
    settings = load(stack.environ)
    asyncio.run(migrate(settings))
    say(f"loading a day of {INSTRUMENTS} instruments, {a_day} ticks each")
    load_topic(settings, ticks.Load(INSTRUMENTS * a_day, INSTRUMENTS, DAY_S, TENANT))
    run.measure(stack, say)


def with_ports(stack: Stack) -> Stack:
    """The stack with a port for the API."""
    chosen = ports.choose(stack.data_dir, {API_PORT: None})
    return replace(stack, environ={**stack.environ, API_PORT: str(chosen[API_PORT])})


def start_api(stack: Stack, supervisor: Supervisor) -> str:
    """Starts the API alone; a key for it."""
    supervisor.start([each for each in apps.core(stack) if each.name == "api"])
    return asyncio.run(ensure_demo_key(load(stack.environ)))


def cases(stack: Stack, supervisor: Supervisor, key: str) -> list[Case]:
    """The requests, each with a bare server of what the API answers to it now."""
    names = [ticks.name_of(number) for number in range(_ASKED)]
    day = "start=2024-01-01T00:00:00Z&end=2024-01-02T00:00:00Z"
    targets = {
        "latest_1": f"{_LATEST}?instrument={names[0]}",
        "latest_1000": f"{_LATEST}?{'&'.join(f'instrument={name}' for name in names)}",
        "bars_day": f"/v1/bars?instrument={names[0]}&interval=5m&{day}",
    }
    bare = ports.choose(stack.data_dir, dict.fromkeys(targets))
    programs = [_bare(stack, name, target, bare[name], key) for name, target in targets.items()]
    supervisor.start(programs)
    return [Case(name, api_client.request(each, [f"X-API-Key: {key}"]), bare[name]) for name, each in targets.items()]


def _bare(stack: Stack, name: str, target: str, port: int, key: str) -> Program:
    file, path = stack.data_dir / f"{name}.json", target.partition("?")[0]
    file.write_bytes(asked(stack, target, key))
    command = [sys.executable, "-m", "local.bench.api_bare", str(port), path, str(file)]
    log = stack.data_dir / "logs" / f"bare-{name}.log"
    return Program(
        f"bare-{name}",
        command,
        PROGRAM_ROOT,
        log,
        lambda: apps.answers(port, path),
        environ=stack.environ,
        ports=(port,),
    )


def asked(stack: Stack, target: str, key: str) -> bytes:
    """What the API answers."""
    address = f"http://127.0.0.1:{stack.environ[API_PORT]}{target}"
    with urlopen(Request(address, headers={"X-API-Key": key}), timeout=60) as answer:
        return answer.read()


@contextmanager
def ingest(stack: Stack, a_day: int, supervisor: Supervisor) -> Generator[Callable[[], int]]:
    """`INGESTED` generic ticks a second through the raw topic, bridge and workers; gives how many have landed."""
    feed = [sys.executable, "-m", "local.bench.api_feed", str(INGESTED), str(INSTRUMENTS)]
    log = stack.data_dir / "logs" / "bench-feed.log"
    supervisor.start([
        apps.workers(stack), apps.bridge(stack),
        Program("bench-feed", feed, PROGRAM_ROOT, log, lambda: True, environ=stack.environ),
    ])  # fmt: skip
    progress = run.Progress(stack)
    try:
        _until(lambda: progress.committed() > INSTRUMENTS * a_day)
        yield progress.committed
    finally:
        progress.close()
        supervisor.stop_last()


def until_ready(stack: Stack) -> None:
    """Waits for the latest prices in Redis to be whole; where they are not in time, the API does without them."""
    client = connect(load(stack.environ).redis.url.get_secret_value())
    _until(lambda: generation.read(client).state == "ready")
    client.close()


def _until(condition: Callable[[], bool]) -> None:
    """Waits, but not for ever: a slow machine is measured as it is."""
    end = time.monotonic() + _PATIENCE_S
    while not condition() and time.monotonic() < end:
        time.sleep(_LOOK_S)
