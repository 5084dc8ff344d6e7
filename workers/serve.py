"""`python -m workers.serve`: the Celery workers of a lane, as the settings say.

Where one is to serve all queues with several processes, some of them are a worker of their own for what takes long:
prices wait for no bars. All processes count in files that the parent adds up: their metrics are shown once, whichever
process is asked.
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
from service.settings import load
from workers import memory
from workers.beside import ARGUMENT, bars_beside
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
    try:
        if ARGUMENT in sys.argv[1:]:
            _work("-bars")
        else:
            _lead()
    except DataProcessingError as error:
        logs.fallback()
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _lead() -> None:
    """With the metrics of all processes, and a worker for bars beside where there is to be one."""
    with tempfile.TemporaryDirectory(prefix="gridtick-metrics-") as counts:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts  # read by prometheus_client at its import
        from service.exposition import Exposition  # noqa: PLC0415 - counts into the folder that was just named

        settings = load()
        host, port = settings.metrics.host, settings.metrics.workers_port
        exposition = Exposition(host, port, lambda: _summed(counts), tuple) if port else None
        with bars_beside(settings):
            _work()
        if exposition is not None:
            exposition.close()


def _work(name: str = "") -> None:
    """One worker. Its name tells its lane: two nodes of one name would be one to the task monitor."""
    from workers.app import app, die_with_parent  # noqa: PLC0415 - reads the settings

    if name:
        die_with_parent()
    settings = load()
    lane = settings.core.lane
    give_way(lane)
    worker_shutting_down.connect(_bounded)
    node = ["--hostname", f"{lane}{name}@%h", "--loglevel", "INFO", "--queues", ",".join(served(settings))]
    app.worker_main(["worker", *node, "--task-events", "--without-gossip", "--without-mingle", "-Ofair"])


def _summed(counts: str) -> bytes:
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=counts)
    return generate_latest(registry)


if __name__ == "__main__":
    sys.exit(main())
