"""Gridtick as its user runs it: started, asked and stopped through the `gridtick` command."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from local import state
from local.stack import PARTITIONS
from service.settings import PREFIX, Settings, load
from tests.polling import until

COMMAND: Final = str(Path(sys.executable).with_name("gridtick"))


class System:
    """One running system in a data folder of its own."""

    def __init__(self, data_dir: Path, extra: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        own = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        self._environ = {**own, PARTITIONS: "4", **extra, "DATA_PROC_DATA_DIR": str(data_dir)}

    def gridtick(
        self, *arguments: str, timeout: float = 180, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return subprocess.run(
            [COMMAND, *arguments],
            env={**self._environ, **(environ or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str) -> Generator[subprocess.Popen[str]]:
        """One command that goes on meanwhile; it is killed if it has not ended."""
        process = subprocess.Popen(
            [COMMAND, *arguments], env=self._environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    @property
    def settings(self) -> Settings:
        """The settings that reach its servers."""
        return load(self._running().variables())

    def process(self, name: str) -> psutil.Process:
        """The process of one part; waits while it is being started again."""
        until(lambda: self.pid(name) is not None, 30, f"{name} runs")
        return psutil.Process(self.pid(name))

    def pid(self, name: str) -> int | None:
        """Its process id, or nothing while it is being started again."""
        return self._running().processes.get(name)

    def _running(self) -> state.StackState:
        running = state.read(self.data_dir)
        assert running is not None, "the system does not run"
        return running


@contextmanager
def system(data_dir: Path, **extra: str) -> Generator[System]:
    """A system that runs without a feed, and leaves no process behind."""
    made = System(data_dir, extra)
    up = made.gridtick("up", "--feed", "none", "--detach")
    try:
        assert up.returncode == 0, up.stderr
        yield made
    finally:
        down = made.gridtick("down")
        assert down.returncode == 0, down.stderr
    until(lambda: not left_behind(data_dir), 5, f"processes are gone: {left_behind(data_dir)}")


def left_behind(data_dir: Path) -> list[str]:
    """Command lines of processes that still work in a data folder."""
    here = str(data_dir)
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline", "pid"])
        if process.pid != os.getpid() and any(here in word for word in process.info["cmdline"] or [])
    ]
