"""Crowds of clients of `gridtick bench stream`: frames a second, and what an idle one costs."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
from websockets.sync.client import connect

from local.bench.stream_load import INTERVAL, NAME, Feed
from local.paths import PROGRAM_ROOT

_UPDATE: Final = '{"type":"update"'
_WITHIN_S: Final = 300
_IDLE_S: Final = 15.0  # at the most


def _subscribe() -> str:
    asked = {"op": "subscribe", "id": 1, "channel": "bars", "instruments": [NAME], "interval": INTERVAL}
    return json.dumps(asked)


def sample(port: int, key: str, feed: Feed) -> str:
    """The text of an update as clients get it."""
    with connect(f"ws://127.0.0.1:{port}/v1/stream", additional_headers={"X-API-Key": key}) as socket:
        socket.send(_subscribe())
        while json.loads(socket.recv(_WITHIN_S))["type"] != "caught_up":
            pass
        feed.tell(feed.made(1))
        while not (text := str(socket.recv(_WITHIN_S))).startswith(_UPDATE):
            pass
        return text


def own(port: int, clients: int, frames: int, key: str, feed: Feed) -> float:
    """Frames a second of the API, from the first entry of the log to the last frame."""
    bars = feed.made(frames)
    with _crowd(port, clients, frames, _UPDATE, _subscribe(), key) as process:
        began = time.monotonic()
        feed.tell(bars)
        return clients * frames / (_told(process)["at"] - began)


def bare(port: int, clients: int, frames: int, text: str, folder: Path) -> float:
    """Frames a second of a bare broadcast."""
    file = folder / "frame.json"
    file.write_text(text)
    command = [sys.executable, "-m", "local.bench.stream_bare", str(port), str(clients), str(file)]
    with _running(command) as server:
        _line(server)
        with _crowd(port, clients, frames, _UPDATE, "", "") as process:
            began = time.monotonic()
            assert server.stdin is not None
            server.stdin.write(f"{frames}\n")
            server.stdin.flush()
            return clients * frames / (_told(process)["at"] - began)


def idle(pid: int, port: int, key: str, clients: int, seconds: float) -> dict[str, Any]:
    """What a client costs that listens to what does not change: memory, and share of a core, heartbeats included."""
    api = psutil.Process(pid)
    before = api.memory_info().rss
    with _crowd(port, clients, 1, _UPDATE, _subscribe(), key):
        held, began = api.cpu_times(), time.monotonic()
        time.sleep(min(seconds, _IDLE_S))  # what passes meanwhile is what is measured
        spent, took = api.cpu_times(), time.monotonic() - began
        busy = (spent.user + spent.system - held.user - held.system) / took
        size = api.memory_info().rss - before
    return {"clients": clients, "bytes_each": round(size / clients), "cores_of_1000": round(busy / clients * 1000, 3)}


@contextmanager
def _crowd(
    port: int, clients: int, frames: int, prefix: str, message: str, key: str
) -> Generator[subprocess.Popen[str]]:
    """A process of clients that are all there."""
    given = [str(port), str(clients), str(frames), prefix, message, key]
    with _running([sys.executable, "-m", "local.bench.stream_client", *given]) as process:
        assert _line(process) == "ready", "not all clients got in"
        yield process


@contextmanager
def _running(command: list[str]) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, cwd=PROGRAM_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    return json.loads(_line(process))


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
