"""The API as a process that can be killed, and comes again at the same address."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import IO

import httpx

from tests.api.running_api import PEPPER, ROOT
from tests.polling import until


class Server:
    def __init__(self, environ: Mapping[str, str], output: IO[bytes]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        own = {"DATA_PROC_API_PORT": str(self.port), "DATA_PROC_API_KEY_PEPPER": PEPPER}
        self._environ = {**os.environ, **environ, **own, "DATA_PROC_API_CURSOR_SECRET": "a secret"}
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it is ready."""
        command = [sys.executable, "-m", "api"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environ, stdout=self._output, stderr=self._output)
        until(self._is_ready, 60, "the API is ready")

    def kill(self) -> None:
        """As a machine that loses its power."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(20) == 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the API ended"
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def running(environ: Mapping[str, str], output: IO[bytes]) -> Generator[Server]:
    server = Server(environ, output)
    server.start()
    try:
        yield server
    except BaseException:
        server.kill()
        raise
    server.stop()
