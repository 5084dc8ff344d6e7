"""One child process: started in its own session, ended with its parent whatever happens to that."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, TextIO

import psutil

from pipeline.errors import DataProcessingError

_PR_SET_PDEATHSIG: Final = 1
_LOG_LIMIT: Final = 16 * 1024 * 1024
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Program:
    """What to run and how to tell that it works.

    `ready` answers at once; `ready_within` and `stop_within` are seconds; `environ` is added to the parent's.
    `death_signal` is what the child gets when its parent dies without a word. `once`: it may end by itself
    with status 0. It works once it listens on `ports` itself: an answer there could be another program's.
    `told` is its standard input: what a command line, which everyone can read, must not hold.
    """

    name: str
    command: Sequence[str]
    cwd: Path
    log: Path
    ready: Callable[[], bool]
    ready_within: float = 60
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 15
    death_signal: signal.Signals = signal.SIGKILL
    once: bool = False
    ports: tuple[int, ...] = ()
    told: str = ""


def _tied_to(parent: int, death_signal: int) -> Callable[[], None]:
    """What the child does before it becomes the program: it asks to be told of its parent's death."""

    def tie() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return tie


class Child:
    """A running program. Start it from the main thread: it is tied to the thread that starts it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        with _opened(self.program.log) as log, _said(self.program.told) as told:
            return subprocess.Popen(
                list(self.program.command),
                cwd=self.program.cwd,
                env={**os.environ, **self.program.environ},
                stdin=told, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C goes to the parent alone, which stops its children in order
                preexec_fn=_tied_to(os.getpid(), self.program.death_signal),  # noqa: PLW1509  one thread starts them
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def has_its_ports(self) -> bool:
        """Whether it listens on all its ports; where the system does not let us see that, we believe it."""
        if not self.program.ports:
            return True
        try:
            links = psutil.Process(self.pid).net_connections(kind="tcp")
        except psutil.AccessDenied:
            return True
        except psutil.Error:
            return False
        return set(self.program.ports) <= {link.laddr.port for link in links if link.status == psutil.CONN_LISTEN}

    def ask_to_stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(self.program.stop_signal)

    def end(self, deadline: float) -> None:
        """Wait until `deadline` (monotonic), then kill it and all that it started."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(5)

    def failure(self, what: str) -> DataProcessingError:
        """An error that holds the last words of its log."""
        return DataProcessingError(
            f"{self.program.name} {what}. Its log says: {last_words(self.program.log)}", "local",
            {"log": str(self.program.log), "status": self.exit_status},
        )  # fmt: skip


def _opened(log: Path) -> TextIO:
    """The log for appending; a large one is first put aside as `.1`."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_name(log.name + ".1"))
    return log.open("a")


@contextlib.contextmanager
def _said(text: str) -> Generator[IO[bytes]]:
    """A file without a name that holds the text, at its beginning."""
    with tempfile.TemporaryFile() if text else Path(os.devnull).open("rb") as file:
        if not text:
            yield file
            return
        file.write(text.encode())
        file.seek(0)
        yield file


def last_words(log: Path, lines: int = 4) -> str:
    """The end of a log, on one line."""
    if not log.exists():
        return "(nothing)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        text = file.read().decode(errors="replace")
    kept = [line.strip() for line in text.splitlines() if line.strip()][-lines:]
    return " / ".join(kept) or "(nothing)"
