"""What is known of a running stack: the lock that it holds and the file that it writes."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from pipeline.errors import DataProcessingError

_TRIES: Final = 5
_LOOK: Final = 0.1


@dataclass(frozen=True, slots=True)
class StackState:
    """`environ`: DATA_PROC_* without secrets; `secrets`: variable -> the file that holds its value.

    `restarts`: how often a process that died was started again.
    """

    pid: int
    data_dir: str
    ready: bool
    environ: Mapping[str, str]
    secrets: Mapping[str, str]
    processes: Mapping[str, int] = field(default_factory=dict[str, int])
    restarts: Mapping[str, int] = field(default_factory=dict[str, int])

    def variables(self) -> dict[str, str]:
        """Every DATA_PROC_* of the stack, secrets read from their files."""
        return {
            **self.environ,
            **{name: Path(path).read_text().strip() for name, path in self.secrets.items()},
        }


def write(state: StackState) -> None:
    """Replace `<data_dir>/stack.json` at once."""
    path = Path(state.data_dir) / "stack.json"
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(asdict(state), indent=1))
    beside.replace(path)


def read(data_dir: Path) -> StackState | None:
    """The state of the stack that runs on this folder, or None when none runs."""
    path = data_dir / "stack.json"
    if not path.exists() or not DataDirLock(data_dir).is_held():
        return None
    found = StackState(**json.loads(path.read_text()))
    # A stack that was killed leaves its file behind, where the next one begins.
    return found if _is_alive(found.pid) else None


def clear(data_dir: Path) -> None:
    """Forget the state of a stack that has stopped."""
    (data_dir / "stack.json").unlink(missing_ok=True)


class DataDirLock:
    """At most one stack for a data folder. The system lets go of it when its process ends in any way."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "stack.lock"
        self._held: int | None = None

    def __enter__(self) -> Self:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _taken(handle):
            os.close(handle)
            raise DataProcessingError(
                f"Another stack runs on {self._path.parent}. Stop it with `gridtick down`, "
                "or choose another --data-dir.",
                "local",
            )
        self._held = handle
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def is_held(self) -> bool:
        """Whether a process, this one included, holds it."""
        if not self._path.exists():
            return False
        handle = os.open(self._path, os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(handle)
        return False


def stop(running: StackState, within: float = 60.0) -> None:
    """Ask the stack to stop and wait until it let go of its folder. Raises when it does not in time."""
    lock = DataDirLock(Path(running.data_dir))
    try:
        os.kill(running.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + within
    while lock.is_held() or _is_alive(running.pid):
        if time.monotonic() > deadline:
            raise DataProcessingError(f"The stack (process {running.pid}) did not stop within {within:.0f} s.", "local")
        time.sleep(_LOOK)


def _taken(handle: int) -> bool:
    """Take the lock. A look by `is_held` holds it for an instant, so one refusal is not the last word."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_LOOK)
        else:
            return True
    return False


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
