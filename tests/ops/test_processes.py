"""Bridge and workers started as docker-compose.yml starts them: its commands, its environment, other addresses."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import pytest

from db.kafka import topics
from db.kafka.admin import make_admin
from local.ports import choose
from local.process import Child, Program
from local.stack import Stack
from service.metrics import CONTENT_TYPE, DEFINITIONS, Part
from service.settings import Settings, load
from tests.ops.compose import environment, services
from tests.polling import until
from workers.broker import make_app

pytestmark = pytest.mark.stack

_SERVERS: Final = ("KAFKA_BOOTSTRAP", "CLICKHOUSE_URL", "POSTGRES_DSN", "REDIS_URL")


class Running(NamedTuple):
    """One service at work; `port` is that of its metrics."""

    name: str
    settings: Settings
    port: int

    def get(self, path: str) -> tuple[int, str, str]:
        """(status, content type, body)."""
        link = HTTPConnection("127.0.0.1", self.port, timeout=5)
        link.request("GET", path)
        reply = link.getresponse()
        answer = reply.status, reply.headers["Content-Type"], reply.read().decode()
        link.close()
        return answer

    def answers(self) -> bool:
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False


def _environ(name: str, stack: Stack, folder: Path) -> dict[str, str]:
    """A service's environment; its addresses lead to the test's servers, its topic and queues are its own."""
    given = environment(services()[name])
    ports = {
        key: str(port) for key, port in choose(folder, dict.fromkeys(k for k in given if k.endswith("_PORT"))).items()
    }
    servers = {f"DATA_PROC_{each}": stack.environ[f"DATA_PROC_{each}"] for each in _SERVERS}
    broker = stack.environ["DATA_PROC_CELERY_BROKER_URL"].rpartition("/")[0] + "/3"
    own = {"DATA_PROC_KAFKA_RAW_TOPIC": f"raw.{uuid4().hex}", "DATA_PROC_KAFKA_GROUP_ID": uuid4().hex}
    here = {"DATA_PROC_METRICS_HOST": "127.0.0.1", "DATA_PROC_DATA_DIR": str(folder)}
    return {**given, **ports, **servers, **own, **here, "DATA_PROC_CELERY_BROKER_URL": broker}


@contextmanager
def running(name: str, stack: Stack, folder: Path) -> Generator[Running]:
    """The service's first replica, until it has ended as Docker would end it."""
    environ = _environ(name, stack, folder)
    settings = load(environ)
    topics.ensure_topics(make_admin(settings.kafka.bootstrap), {settings.kafka.raw_topic: {}}, 1)
    made = Running(name, settings, settings.metrics.bridge_port or settings.metrics.workers_port)
    command = [sys.executable, *services()[name]["command"][1:]]
    program = Program(name, command, folder, folder / "log", made.answers, environ=environ, ports=(made.port,))
    child = Child(program)
    try:
        until(made.answers, 60, f"{name} answers at /healthz")
        yield made
        child.ask_to_stop()
        grace = float(services()[name]["stop_grace_period"].removesuffix("s"))
        until(lambda: child.exit_status is not None, grace, f"{name} ends")
        assert child.exit_status == 0, child.failure("ended")
    finally:
        child.end(time.monotonic())


def _names(text: str) -> set[str]:
    """The metrics of which there is a series."""
    return {line.partition("{")[0].partition(" ")[0] for line in text.splitlines() if not line.startswith("#")}


def _unlabelled(part: Part) -> set[str]:
    """What a part shows before anything has happened: what has no labels."""
    endings = {"counter": "_total", "gauge": "", "seconds": "_count"}
    own = {name: each for name, each in DEFINITIONS.items() if each.part == part and not each.labels}
    return {f"gridtick_{name}{endings[each.kind]}" for name, each in own.items()}


def _is_healthy(one: Running) -> bool:
    """What the health check of its container says."""
    _, _, option, script, address = services()[one.name]["healthcheck"]["test"]
    here = address.replace(f":{_port(one.name)}/", f":{one.port}/")
    assert here != address
    return subprocess.run([sys.executable, option, script, here], timeout=20, check=False).returncode == 0


def _port(name: str) -> int:
    shown = load(environment(services()[name])).metrics
    return shown.bridge_port or shown.workers_port


def _shows_its_metrics(one: Running, part: Part) -> None:
    status, kind, body = one.get("/healthz")
    assert (status, json.loads(body)) == (200, {"status": "alive", "reasons": []})
    assert _is_healthy(one)
    until(lambda: _unlabelled(part) <= _names(one.get("/metrics")[2]), 60, "every metric of the part is shown")
    status, kind, _ = one.get("/metrics")
    assert (status, kind) == (200, CONTENT_TYPE)  # Prometheus refuses an answer without a type that it knows


def test_the_bridge_tells_its_health_and_its_metrics(stack: Stack, tmp_path: Path) -> None:
    with running("bridge", stack, tmp_path) as bridge:
        _shows_its_metrics(bridge, "bridge")


def test_a_worker_serves_its_queue_and_tells_its_metrics(stack: Stack, tmp_path: Path) -> None:
    with running("worker-enrich", stack, tmp_path) as worker:
        _shows_its_metrics(worker, "workers")
        assert _served(worker.settings) == ["enrich"]


def _served(settings: Settings) -> list[str]:
    """The queues of the one worker that answers."""
    with make_app(settings) as app:
        found: list[dict[str, list[dict[str, Any]]]] = []

        def asked() -> bool:
            answer = app.control.inspect(timeout=2).active_queues()
            found.extend([answer] if answer else [])
            return bool(found)

        until(asked, 60, "the worker answers")
    [queues] = found[0].values()
    return [queue["name"] for queue in queues]
