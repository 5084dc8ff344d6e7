"""A second worker beside the first: bars and landing have processes of their own, so that no price waits for them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from celery.signals import worker_shutting_down

from service.settings import Settings

ARGUMENT: Final = "beside"
_QUEUES: Final = "DATA_PROC_CELERY_QUEUES"
_PROCESSES: Final = "DATA_PROC_CELERY_CONCURRENCY"
_SLOW: Final = "project,aggregate"  # a task takes as long as a pass
_FAST: Final = "enrich,normalize"


def is_split(settings: Settings) -> bool:
    """Whether a program of these settings runs two workers: it serves all queues, by more than one process."""
    return not settings.celery.queues and settings.celery.concurrency > 1


@contextmanager
def bars_beside(settings: Settings) -> Generator[None]:
    """What takes long is served by half as many processes more, as a program of its own that ends with this one, which
    serves the rest: it says so in its environment, for the settings that are loaded next."""
    if not is_split(settings):
        yield
        return
    slow = settings.celery.concurrency // 2
    command = [sys.executable, "-m", "workers.serve", ARGUMENT]
    process = subprocess.Popen(command, env={**os.environ, _QUEUES: _SLOW, _PROCESSES: str(slow)})
    os.environ[_QUEUES] = _FAST
    ended = _ended_with(process)
    try:
        yield
    finally:
        ended.set()
        process.terminate()
        process.wait()


def _ended_with(process: subprocess.Popen[bytes]) -> threading.Event:
    """Each ends when the other does; once the event is set, this one does anyway."""
    ended = threading.Event()

    def stop(**_: object) -> None:
        ended.set()
        process.terminate()

    def watch() -> None:
        process.wait()
        if not ended.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    worker_shutting_down.connect(stop, weak=False)
    threading.Thread(target=watch, name="beside", daemon=True).start()
    return ended
