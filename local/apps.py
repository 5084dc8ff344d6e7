"""Gridtick's own processes on top of the servers: bridge, workers, API, task monitor and feed."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from local import ports, starting
from local.demo import SHOWN
from local.paths import PROGRAM_ROOT, secret
from local.process import Program
from local.stack import API_HOST, API_PORT, BRIDGE_METRICS, FLOWER_PORT, WORKERS_METRICS, Stack
from local.supervisor import Say
from pipeline.errors import DataProcessingError

DEMO_INSTRUMENTS: Final = "DATA_PROC_API_DEMO_INSTRUMENTS"
FLOWER_USER: Final = "gridtick"
_PREFERRED: Final = {API_PORT: 8080, FLOWER_PORT: 5555, BRIDGE_METRICS: 9464, WORKERS_METRICS: 9465}


def refuse_taken_ports(given: Mapping[str, str]) -> None:
    """Raise for a port of ours that the user sets and that is in use."""
    for name in _PREFERRED:
        if name in given and not ports.is_free(int(given[name]), given.get(API_HOST, "127.0.0.1")):
            raise DataProcessingError(
                f"Port {given[name]} ({name}) is in use. Stop what listens there, set another, or unset it.", "local"
            )


def app_ports(data_dir: Path, given: Mapping[str, str]) -> dict[str, int]:
    """Free ports of API, task monitor and metrics, by variable, where the user sets none."""
    return ports.choose(data_dir, {name: port for name, port in _PREFERRED.items() if name not in given})


def showing(stack: Stack, feed: str) -> Stack:
    """The stack, whose demo prices anybody may have without a key, unless the user says which."""
    if feed != "demo" or DEMO_INSTRUMENTS in stack.environ:
        return stack
    return replace(stack, environ={**stack.environ, DEMO_INSTRUMENTS: ",".join(SHOWN)})


def start_core(servers: Stack, say: Say) -> Stack:
    """Bridge, workers and API on top of the servers; the stack as its variables are then."""

    def at(chosen: Mapping[str, int]) -> Stack:
        return replace(servers, environ={**servers.environ, **{name: str(port) for name, port in chosen.items()}})

    def choose() -> dict[str, int]:
        return app_ports(servers.data_dir, servers.environ)

    return at(starting.start(servers.supervisor, choose, lambda chosen: core(at(chosen)), say))


def flower_moved(stack: Stack, given: Mapping[str, str], say: Say) -> Stack:
    """The stack, its task monitor started at another port if it ended since somebody else has the one it had.

    Call it after a change while Flower's group is the one that was started last.
    """
    port = int(stack.environ[FLOWER_PORT])
    if FLOWER_PORT in given or "flower" in stack.supervisor.pids() or ports.is_free(port):
        return stack
    stack.supervisor.stop_last()
    chosen = ports.choose(stack.data_dir, {FLOWER_PORT: _PREFERRED[FLOWER_PORT]})[FLOWER_PORT]
    moved = replace(stack, environ={**stack.environ, FLOWER_PORT: str(chosen)})
    moved.supervisor.start([flower(moved)])
    say(f"Port {port} has been taken by another program: Flower moves to http://127.0.0.1:{chosen}")
    return moved


def core(stack: Stack) -> list[Program]:
    """Bridge, workers and API, to be started together."""
    api = _program(stack, "api", ["-m", "api"], stop_within=25, listens=API_PORT)
    return [replace(api, ready=lambda: answers(api.ports[0], "/healthz")), workers(stack), bridge(stack)]


def workers(stack: Stack) -> Program:
    """The processes that run tasks."""
    return _program(stack, "workers", ["-m", "workers.serve"], stop_within=25, listens=WORKERS_METRICS)


def bridge(stack: Stack) -> Program:
    """From the raw topic to the workers."""
    return _program(stack, "bridge", ["-m", "workers.bridge"], stop_within=25, listens=BRIDGE_METRICS)


def backfill(stack: Stack) -> list[Program]:
    """The lane of history: a bridge and one worker process of its own, which nothing waits for."""
    lane = {
        "DATA_PROC_LANE": "backfill",
        "DATA_PROC_CELERY_CONCURRENCY": "1",
        BRIDGE_METRICS: "0",
        WORKERS_METRICS: "0",
    }
    programs = [(workers(stack), "backfill-workers"), (bridge(stack), "backfill-bridge")]
    return [
        replace(
            each, name=name, log=stack.data_dir / "logs" / f"{name}.log", ports=(), environ={**each.environ, **lane}
        )
        for each, name in programs
    ]


def flower(stack: Stack) -> Program:
    """The task monitor, on this machine's own address only; pages and API ask for a login: it can stop workers."""
    # Nothing waits for it: it has no part in the path of a price, and takes the longest to start.
    command = ["-m", "celery", "-A", "workers.app", "flower", "--address=127.0.0.1"]
    command.append(f"--port={stack.environ[FLOWER_PORT]}")
    login = f"{FLOWER_USER}:{flower_password(stack.data_dir)}"
    return _program(stack, "flower", command, stop_within=5, environ={"FLOWER_BASIC_AUTH": login})


def flower_password(data_dir: Path) -> str:
    """The password of `FLOWER_USER`, the same at every start on this folder."""
    return secret(data_dir, "flower-password")


def refuse_unknown_feed(what: str) -> None:
    """Raise unless it is `demo`, `none` or a path that exists."""
    if what not in {"demo", "none"} and not Path(what).expanduser().exists():
        raise DataProcessingError(f"--feed {what} is neither `demo`, `none` nor a path that exists.", "cli")


def feed(stack: Stack, what: str, speed: float) -> list[Program]:
    """The demo feed, a path to send once, or nothing for `none`."""
    if what == "none":
        return []
    if what == "demo":
        return [_program(stack, "feed", ["-m", "local.feed", "--speed", str(speed)], once=True)]
    refuse_unknown_feed(what)
    path = Path(what).expanduser().absolute()
    return [_program(stack, "feed", ["-m", "gridtick.cli.main", "send", str(path), "--speed", str(speed)], once=True)]


def _program(
    stack: Stack, name: str, arguments: list[str], stop_within: float = 10, once: bool = False,  # noqa: FBT001
    environ: Mapping[str, str] | None = None, listens: str = "",
) -> Program:  # fmt: skip
    """`listens`: the variable of its port; one that is absent or 0 is not opened."""
    port = int(stack.environ.get(listens, 0))
    return Program(
        name, [sys.executable, *arguments], PROGRAM_ROOT, stack.data_dir / "logs" / f"{name}.log",
        ready=lambda: True, ready_within=60, ports=(port,) if port else (),
        environ={**stack.environ, **(environ or {})}, stop_within=stop_within, once=once,
    )  # fmt: skip


def answers(port: int, path: str, status: int = 200) -> bool:
    """Whether a GET of that path on this machine gives that status."""
    link = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", path)
        return link.getresponse().status == status
    except (OSError, HTTPException):
        return False
    finally:
        link.close()
