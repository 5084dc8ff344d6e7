"""Gridtick's own processes on top of the servers: bridge, workers, API, task monitor and feed."""

import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from local import ports
from local.paths import PROGRAM_ROOT
from local.process import Program
from local.stack import API_HOST, API_PORT, BRIDGE_METRICS, FLOWER_PORT, WORKERS_METRICS, Stack
from pipeline.errors import DataProcessingError

_PREFERRED: Final = {API_PORT: 8080, FLOWER_PORT: 5555, BRIDGE_METRICS: 9464, WORKERS_METRICS: 9465}


def refuse_taken_ports(given: Mapping[str, str]) -> None:
    """Raise for a port of ours that the user sets and that is in use."""
    for name in _PREFERRED:
        if name in given and not ports.is_free(int(given[name]), given.get(API_HOST, "127.0.0.1")):
            raise DataProcessingError(
                f"Port {given[name]} ({name}) is in use. Stop what listens there, set another, or unset it.", "local"
            )


def app_ports(data_dir: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Free ports of API, task monitor and metrics, as variables, where the user sets none."""
    chosen = ports.choose(data_dir, {name: port for name, port in _PREFERRED.items() if name not in given})
    return {name: str(port) for name, port in chosen.items()}


def core(stack: Stack) -> list[Program]:
    """Bridge, workers and API, to be started together."""
    api = _program(stack, "api", ["-m", "api"], stop_within=25, probe=("/healthz", stack.environ[API_PORT]))
    return [api, workers(stack), bridge(stack)]


def workers(stack: Stack) -> Program:
    """The processes that run tasks."""
    return _program(stack, "workers", ["-m", "workers.serve"], stop_within=25)


def bridge(stack: Stack) -> Program:
    """From the raw topic to the workers."""
    return _program(stack, "bridge", ["-m", "workers.bridge"], stop_within=25)


def flower(stack: Stack) -> Program:
    """The task monitor, on this machine's own address only: its API asks for no login there."""
    # Nothing waits for it: it has no part in the path of a price, and takes the longest to start.
    command = ["-m", "celery", "-A", "workers.app", "flower", "--address=127.0.0.1"]
    command.append(f"--port={stack.environ[FLOWER_PORT]}")
    return _program(stack, "flower", command, stop_within=5, environ={"FLOWER_UNAUTHENTICATED_API": "true"})


def feed(stack: Stack, what: str, speed: float) -> list[Program]:
    """The demo feed, a path to send once, or nothing for `none`."""
    if what == "none":
        return []
    if what == "demo":
        return [_program(stack, "feed", ["-m", "local.feed", "--speed", str(speed)], once=True)]
    path = Path(what).expanduser().absolute()
    if not path.exists():
        raise DataProcessingError(f"--feed {what} is neither `demo`, `none` nor a path that exists.", "cli")
    return [_program(stack, "feed", ["-m", "gridtick.cli.main", "send", str(path), "--speed", str(speed)], once=True)]


def _program(
    stack: Stack, name: str, arguments: list[str], stop_within: float = 10, once: bool = False,  # noqa: FBT001
    environ: Mapping[str, str] | None = None, probe: tuple[str, str] | None = None,
) -> Program:  # fmt: skip
    return Program(
        name, [sys.executable, *arguments], PROGRAM_ROOT, stack.data_dir / "logs" / f"{name}.log",
        ready=(lambda: answers(int(probe[1]), probe[0])) if probe else (lambda: True), ready_within=60,
        environ={**stack.environ, **(environ or {})}, stop_within=stop_within, once=once,
    )  # fmt: skip


def answers(port: int, path: str) -> bool:
    """Whether a GET of that path on this machine gives 200."""
    link = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", path)
        return link.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        link.close()
