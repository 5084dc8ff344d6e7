"""`python -m workers.serve`: one Celery worker for all queues, as the settings say."""

import os
import signal
import sys
import threading
from typing import Any, Final

from celery.signals import worker_shutting_down

from pipeline.errors import DataProcessingError
from service import logs

# SIGTERM lets running tasks end, but not for longer than this: what they held is sent again.
WARM_S: Final = 12.0


def _bounded(**_: Any) -> None:
    """After `WARM_S` the cold shutdown, which waits for nobody."""
    timer = threading.Timer(WARM_S, os.kill, (os.getpid(), signal.SIGQUIT))
    timer.daemon = True
    timer.start()


def main() -> int:
    """Runs until SIGTERM. The exit status: 1, after a sentence, when the settings are wrong."""
    # Batches are small and the processes many: threads of each would only wait for one another.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    try:
        from workers.app import app  # noqa: PLC0415 - reads the settings
    except DataProcessingError as error:
        logs.fallback()
        sys.stderr.write(f"{error}\n")
        return 1
    worker_shutting_down.connect(_bounded)
    app.worker_main(["worker", "--loglevel", "INFO", "--task-events", "--without-gossip", "--without-mingle", "-Ofair"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
