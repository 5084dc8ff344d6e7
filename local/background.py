"""Starting a stack in the background."""

import os
import subprocess
import time
from pathlib import Path
from typing import Final, TextIO

from local import state
from local.process import last_words
from pipeline.errors import DataProcessingError

_START_SECONDS: Final = 240.0
_LOOK: Final = 0.1


def detach(command: list[str], data_dir: Path, log: Path) -> state.StackState:
    """Run the command, which starts a stack on `data_dir`, and return when that is ready.

    Raises `DataProcessingError` with the last words of its log if it ends or takes too long.
    """
    if state.read(data_dir):
        raise DataProcessingError(f"A stack already runs on {data_dir}. Stop it with `gridtick down`.", "local")
    with _opened(log, data_dir) as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
    running = _await(process, data_dir)
    if running is None:
        process.terminate()
        raise DataProcessingError(f"The stack did not start. {last_words(log, 2)}", "local", {"log": str(log)})
    return running


def _opened(log: Path, data_dir: Path) -> TextIO:
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The log may hold addresses with their passwords.
        return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")
    except OSError as error:
        raise DataProcessingError(
            f"{data_dir} cannot be used: {error.strerror}. Choose another --data-dir.", "local"
        ) from None


def _await(process: "subprocess.Popen[bytes]", data_dir: Path) -> state.StackState | None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        running = state.read(data_dir)
        if running and running.ready:
            return running
        time.sleep(_LOOK)
    return None
