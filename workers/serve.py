"""`python -m workers.serve`: one Celery worker for the queues of its lane, as the settings say.

Its processes count in files that the parent adds up: their metrics are shown once, whichever process is asked.
"""

import os
import signal
import sys
import tempfile
import threading
from typing import Any, Final

from celery.signals import worker_shutting_down

from pipeline.errors import DataProcessingError
from service import logs
from workers import memory
from workers.lanes import give_way
from workers.queues import served

# SIGTERM lets running tasks end, but not for longer than this: what they held is sent again.
WARM_S: Final = 12.0


def _bounded(**_: Any) -> None:
    """After `WARM_S` the cold shutdown, which waits for nobody."""
    timer = threading.Timer(WARM_S, os.kill, (os.getpid(), signal.SIGQUIT))
    timer.daemon = True
    timer.start()


def main() -> int:
    """Runs until SIGTERM. The exit status: 1, after a sentence, when the settings are wrong."""
    # Of small batches more threads would only wait for one another; a large document comes alone.
    os.environ.setdefault("POLARS_MAX_THREADS", "2")
    memory.keep()
    with tempfile.TemporaryDirectory(prefix="gridtick-metrics-") as counts:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts  # read by prometheus_client at its import
        try:
            _work(counts)
        except DataProcessingError as error:
            logs.fallback()
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


def _work(counts: str) -> None:
    from service.exposition import Exposition  # noqa: PLC0415 - counts into the folder that was just named
    from service.settings import load  # noqa: PLC0415
    from workers.app import app  # noqa: PLC0415 - reads the settings

    settings = load()
    give_way(settings.core.lane)
    shown = settings.metrics
    exposition = (
        Exposition(shown.host, shown.workers_port, lambda: _summed(counts), tuple) if shown.workers_port else None
    )
    worker_shutting_down.connect(_bounded)
    lane = settings.core.lane  # a node's name tells its lane: two nodes of one name would be one to the task monitor
    options = [
        "--hostname",
        f"{lane}@%h",
        "--loglevel",
        "INFO",
        "--task-events",
        "--without-gossip",
        "--without-mingle",
        "-Ofair",
    ]
    app.worker_main(["worker", *options, "--queues", ",".join(served(settings))])
    if exposition is not None:
        exposition.close()


def _summed(counts: str) -> bytes:
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=counts)
    return generate_latest(registry)


if __name__ == "__main__":
    sys.exit(main())
