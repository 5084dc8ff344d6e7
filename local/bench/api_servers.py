"""What `gridtick bench api` runs on: a day of prices, the API, bare routes beside it, and ingest on demand."""

import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from urllib.request import Request, urlopen

from db.demo_key import ensure_demo_key
from db.migrate import migrate
from db.postgres.engine import make_engine
from db.postgres.ledger import watermark
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
from service import clock
from service.settings import load

Say = Callable[[str], None]

INSTRUMENTS: Final = 2_000
A_DAY: Final = 288  # ticks of an instrument in its day, on average
DAY_S: Final = 86_400.0
INGESTED: Final = 1_000  # ticks a second
_ASKED: Final = 1_000
_MINUTES: Final = 4_320  # three ticks a minute
_BARS: Final = 1_440
_MOST_BARS: Final = 10_000  # of a page
_LIMITS: Final = {"DATA_PROC_API_KEY_REQUESTS_PER_MINUTE": 10**9, "DATA_PROC_API_TENANT_REQUESTS_PER_MINUTE": 10**9}
_PATIENCE_S: Final = 120.0
_LOOK_S: Final = 0.1
_BEFORE: Final = timedelta(seconds=3)  # by then every partition had landed
_LATEST: Final = "/v1/prices/latest"


@dataclass(frozen=True, slots=True)
class Case:
    """One request as it goes over the wire, and where the bare route that answers the same bytes listens. `anew`: no
    two are the same, so that nothing that was kept can answer them; the rows are."""

    name: str
    wire: bytes
    bare_port: int
    status: int = 200
    anew: bool = False

    @property
    def connections(self) -> int:
        """Whoever draws a chart waits for one answer; the others come from many at once."""
        return 1 if self.name.startswith("bars") else api_client.CONNECTIONS

    def wires(self) -> Iterator[bytes]:
        """The requests, without an end."""
        if not self.anew:
            return itertools.repeat(self.wire)
        limits = itertools.cycle(range(_BARS, _MOST_BARS))
        return (self.wire.replace(b"limit=%d" % _BARS, b"limit=%d" % limit) for limit in limits)


def load_day(stack: Stack, a_day: int, say: Say) -> None:
    """Brings a day of `a_day` ticks of each instrument through the whole pipeline; returns when all can be read."""
    settings = load(stack.environ)
    asyncio.run(migrate(settings))
    say(f"loading a day of {INSTRUMENTS} instruments, {a_day} ticks each")
    load_topic(settings, ticks.Load(INSTRUMENTS * a_day, INSTRUMENTS, DAY_S, TENANT))
    load_topic(settings, ticks.Load(_MINUTES, 1, DAY_S, TENANT, seed=2))  # the first one has bars of every minute
    run.measure(stack, say)


def with_ports(stack: Stack) -> Stack:
    """The stack with a port for the API, whose limits are there and never reached."""
    chosen = ports.choose(stack.data_dir, {API_PORT: None}) | _LIMITS
    return replace(stack, environ={**stack.environ, **{name: str(value) for name, value in chosen.items()}})


def start_api(stack: Stack, supervisor: Supervisor) -> str:
    """Starts the API alone; a key for it."""
    supervisor.start([each for each in apps.core(stack) if each.name == "api"])
    return asyncio.run(ensure_demo_key(load(stack.environ)))


def cases(stack: Stack, supervisor: Supervisor, key: str) -> list[Case]:
    """The requests, each with a bare server of what the API answers to it now."""
    names = [ticks.name_of(number) for number in range(_ASKED)]
    day = "start=2024-01-01T00:00:00Z&end=2024-01-02T00:00:00Z"
    minutes = f"/v1/bars?instrument={names[0]}&interval=1m&limit={_BARS}&{day}"
    targets = {
        "latest_1": f"{_LATEST}?instrument={names[0]}",
        "latest_1000": f"{_LATEST}?{'&'.join(f'instrument={name}' for name in names)}",
        "bars_day_1m": minutes,
        "bars_day_1m_anew": minutes,
        "not_modified": f"{minutes}&as_of={_past(stack)}",
    }
    bare = ports.choose(stack.data_dir, dict.fromkeys(targets))
    made = [_case(stack, name, target, bare[name], key) for name, target in targets.items()]
    supervisor.start([program for _, program in made])
    return [case for case, _ in made]


def _past(stack: Stack) -> str:
    """An instant of which everything has landed: ticks that come later are known later."""
    settings = load(stack.environ)
    watermark_us = asyncio.run(_watermark(settings.postgres.dsn.get_secret_value()))
    return f"{clock.from_us(watermark_us) - _BEFORE:%Y-%m-%dT%H:%M:%S.%fZ}"


async def _watermark(dsn: str) -> int:
    engine = make_engine(dsn, pooled=False)
    try:
        return await watermark(engine)
    finally:
        await engine.dispose()


def _case(stack: Stack, name: str, target: str, port: int, key: str) -> tuple[Case, Program]:
    body, tag = asked(stack, target, key)
    headers = [f"X-API-Key: {key}", *([f"If-None-Match: {tag}"] if name == "not_modified" else [])]
    status = 304 if name == "not_modified" else 200
    case = Case(name, api_client.request(target, headers), port, status, anew=name.endswith("_anew"))
    return case, _bare(stack, case, target.partition("?")[0], b"" if status == 304 else body)


def _bare(stack: Stack, case: Case, path: str, body: bytes) -> Program:
    file = stack.data_dir / f"{case.name}.json"
    file.write_bytes(body)
    command = [sys.executable, "-m", "local.bench.api_bare", str(case.bare_port), path, str(file), str(case.status)]
    log = stack.data_dir / "logs" / f"bare-{case.name}.log"
    return Program(
        f"bare-{case.name}",
        command,
        PROGRAM_ROOT,
        log,
        lambda: apps.answers(case.bare_port, path, case.status),
        environ=stack.environ,
        ports=(case.bare_port,),
    )


def asked(stack: Stack, target: str, key: str) -> tuple[bytes, str]:
    """What the API answers, and its tag."""
    address = f"http://127.0.0.1:{stack.environ[API_PORT]}{target}"
    with urlopen(Request(address, headers={"X-API-Key": key}), timeout=60) as answer:
        return answer.read(), str(answer.headers["ETag"])


@contextmanager
def ingest(stack: Stack, supervisor: Supervisor) -> Generator[Callable[[], int]]:
    """`INGESTED` generic ticks a second through the raw topic, bridge and workers; gives how many have landed."""
    progress = run.Progress(stack)
    before = progress.committed()
    feed = [sys.executable, "-m", "local.bench.api_feed", str(INGESTED), str(INSTRUMENTS)]
    log = stack.data_dir / "logs" / "bench-feed.log"
    supervisor.start([
        apps.workers(stack), apps.bridge(stack),
        Program("bench-feed", feed, PROGRAM_ROOT, log, lambda: True, environ=stack.environ),
    ])  # fmt: skip
    try:
        _until(lambda: progress.committed() > before)
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
