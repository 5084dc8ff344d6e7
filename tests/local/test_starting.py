"""Several programs that want the same port."""

import json
import socket
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from local import apps, ports, starting
from local.process import Program
from local.stack import Stack
from local.supervisor import Supervisor
from pipeline.errors import DataProcessingError
from tests.polling import until

_SERVES = """
import http.server, sys
http.server.SimpleHTTPRequestHandler.do_GET = lambda self: (self.send_response(200), self.end_headers())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
_DEAF = "import time; time.sleep(60)"


class _Fine(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def foreign() -> Iterator[int]:
    """The port of another program that answers as ours would."""
    with HTTPServer(("127.0.0.1", 0), _Fine) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor(lambda _: None)
    yield made
    made.stop()


def _program(port: int, folder: Path, code: str = _SERVES, within: float = 20) -> Program:
    return Program(
        "it", [sys.executable, "-c", code, str(port)], folder, folder / "it.log",
        ready=lambda: apps.answers(port, "/"), ready_within=within, ports=(port,),
    )  # fmt: skip


@pytest.mark.stack
def test_the_answer_of_another_program_is_not_taken_for_ours(
    foreign: int, supervisor: Supervisor, tmp_path: Path
) -> None:
    assert apps.answers(foreign, "/")
    with pytest.raises(DataProcessingError, match="was not ready"):
        supervisor.start([_program(foreign, tmp_path, _DEAF, within=0.5)])


@pytest.mark.stack
def test_a_port_that_was_taken_in_between_is_chosen_again(foreign: int, supervisor: Supervisor, tmp_path: Path) -> None:
    said: list[str] = []
    offered = [{"it": foreign}, ports.choose(tmp_path, {"it": None})]
    chosen = starting.start(supervisor, lambda: offered.pop(0), lambda at: [_program(at["it"], tmp_path)], said.append)
    assert chosen["it"] != foreign
    assert apps.answers(chosen["it"], "/")
    assert said == [f"port {foreign} has been taken by another program: starting again at other ports"]
    assert list(supervisor.pids()) == ["it"]


@pytest.mark.stack
def test_what_fails_for_another_reason_is_not_tried_again(supervisor: Supervisor, tmp_path: Path) -> None:
    tried: list[int] = []

    def programs(at: dict[str, int]) -> list[Program]:
        tried.append(at["it"])
        return [_program(at["it"], tmp_path, "raise SystemExit('no such hat')")]

    with pytest.raises(DataProcessingError, match="no such hat"):
        starting.start(supervisor, lambda: ports.choose(tmp_path, {"it": None}), programs, lambda _: None)
    assert len(tried) == 1


@pytest.mark.stack
def test_flower_moves_from_a_port_that_another_program_has(
    foreign: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    monkeypatch.setattr(apps, "flower", _flower)
    stack = Stack(tmp_path, {"DATA_PROC_FLOWER_PORT": str(foreign)}, {}, supervisor)
    supervisor.start([apps.flower(stack)])
    try:
        until(supervisor.look)
        moved = apps.flower_moved(stack, {}, said.append)
        port = int(moved.environ["DATA_PROC_FLOWER_PORT"])
        assert port != foreign
        assert json.loads((tmp_path / "ports.json").read_text()) == {"DATA_PROC_FLOWER_PORT": port}
        assert f"http://127.0.0.1:{port}" in said[-1]
        until(lambda: apps.answers(port, "/"))
        assert apps.flower_moved(moved, {}, said.append) is moved
    finally:
        supervisor.stop()


def _flower(stack: Stack) -> Program:
    folder = stack.data_dir
    port = stack.environ["DATA_PROC_FLOWER_PORT"]
    return Program("flower", [sys.executable, "-c", _SERVES, port], folder, folder / "f.log", lambda: True)


@pytest.mark.stack
def test_a_child_has_the_ports_on_which_it_listens(supervisor: Supervisor, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    supervisor.start([_program(port, tmp_path)])
    assert list(supervisor.pids()) == ["it"]
