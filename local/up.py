"""The whole of Gridtick on one machine: servers, migrations, own processes, a feed; until told to stop."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, NoReturn

from local import apps, state
from local.paths import PROGRAM_ROOT
from local.stack import API_PORT, FLOWER_PORT, Stack, servers
from local.supervisor import Say
from pipeline.errors import DataProcessingError
from service.settings import load

_LOOK: Final = 0.2
_STEP_SECONDS: Final = 120
_FIRST_PRICE_SECONDS: Final = 60.0
PRICES: Final = "/v1/prices/latest?market=caiso&limit=3"


@dataclass(frozen=True, slots=True)
class Up:
    """What `gridtick up` was asked for. `feed`: `demo`, `none` or a path; `speed` is a factor."""

    data_dir: Path
    feed: str = "demo"
    speed: float = 1.0


def run(wanted: Up, say: Say) -> None:
    """Run until Ctrl-C or SIGTERM, then stop everything in order.

    Raises `DataProcessingError` when it cannot start, or when a part dies again and again.
    """
    load()
    apps.refuse_taken_ports(os.environ)
    with _ended_by_signals(), servers(wanted.data_dir, say=say) as bare:
        say("bringing the schemas up to date")
        _step(bare, "db.migrate")
        with ThreadPoolExecutor(1) as beside:
            making = beside.submit(_step, bare, "db.demo_key")
            bare.supervisor.start(apps.feed(bare, wanted.feed, wanted.speed))
            stack = apps.start_core(apps.showing(bare, wanted.feed), say)
            key = making.result().strip().splitlines()[-1]
        stack.supervisor.start(apps.backfill(stack))
        stack.supervisor.start([apps.flower(stack)])
        stack.publish()
        say(banner(stack.environ, key, apps.flower_password(stack.data_dir)))
        _watch(stack, key if wanted.feed == "demo" else None, say)


def _watch(stack: Stack, key: str | None, say: Say) -> NoReturn:
    began = time.monotonic()
    waiting = key is not None
    while True:
        if stack.supervisor.look():
            stack = apps.flower_moved(stack, os.environ, say)
            stack.publish()
        if waiting and (_has_price(stack.environ, key or "") or time.monotonic() - began > _FIRST_PRICE_SECONDS):
            waiting = False
            say(_first_price(time.monotonic() - began))
        time.sleep(_LOOK)


def _first_price(seconds: float) -> str:
    if seconds > _FIRST_PRICE_SECONDS:
        return f"No price has arrived within {seconds:.0f} s: `gridtick status` says what waits."
    return f"The first price is there after {seconds:.1f} s. Ctrl-C stops everything."


@contextlib.contextmanager
def _ended_by_signals() -> Generator[None]:
    """SIGTERM and a closed terminal end like Ctrl-C; once it ends, further signals do not disturb it."""

    def end(*_: object) -> NoReturn:
        for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, end)
    with contextlib.suppress(KeyboardInterrupt):
        yield


def _step(stack: Stack, module: str) -> str:
    """Run a module to its end; its standard output. Raises with its last words."""
    done = subprocess.run(
        [sys.executable, "-m", module], cwd=PROGRAM_ROOT, env={**os.environ, **stack.environ},
        capture_output=True, text=True, timeout=_STEP_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-1:]
        raise DataProcessingError(f"`python -m {module}` failed: {' '.join(said) or 'without a word'}", "local")
    return done.stdout


def _get(environ: Mapping[str, str], path: str, key: str) -> bytes:
    link = HTTPConnection("127.0.0.1", int(environ[API_PORT]), timeout=5)
    try:
        link.request("GET", path, headers={"X-API-Key": key})
        return link.getresponse().read()
    finally:
        link.close()


def _has_price(environ: Mapping[str, str], key: str) -> bool:
    try:
        return bool(json.loads(_get(environ, PRICES, key)).get("data"))
    except (OSError, HTTPException, ValueError):
        return False


def banner(environ: Mapping[str, str], key: str, flower_password: str) -> str:
    """What a user needs next: addresses, a key, one request."""
    api = f"http://127.0.0.1:{environ[API_PORT]}"
    return "\n".join([
        "",
        f"  Live prices    {api}/",
        f"  API            {api}/docs",
        f"  Readiness      {api}/readyz",
        f"  Tasks (Flower) http://127.0.0.1:{environ[FLOWER_PORT]}",
        f"  Flower's login {apps.FLOWER_USER} / {flower_password}",
        f"  Logs           {environ['DATA_PROC_DATA_DIR']}/logs",
        f"  Demo key       {key}",
        "",
        f"  curl -H 'X-API-Key: {key}' '{api}{PRICES}'",
        "",
    ])  # fmt: skip


def detached_banner(running: state.StackState) -> str:
    """The same for a stack that runs in the background."""
    folder = Path(running.data_dir)
    key = (folder / "secrets" / "demo_key").read_text().strip()
    return banner(running.environ, key, apps.flower_password(folder))
