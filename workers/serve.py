"""`python -m workers.serve`: one Celery worker for all queues, as the settings say."""

import sys
from typing import Final

from pipeline.errors import DataProcessingError
from service import logs

# SIGTERM lets running tasks end, but not for longer than this: what they held is sent again.
SOFT_SHUTDOWN_S: Final = 10


def main() -> int:
    """Runs until SIGTERM. The exit status: 1, after a sentence, when the settings are wrong."""
    try:
        from workers.app import app  # noqa: PLC0415 - reads the settings
    except DataProcessingError as error:
        logs.fallback()
        sys.stderr.write(f"{error}\n")
        return 1
    app.conf.worker_soft_shutdown_timeout = SOFT_SHUTDOWN_S
    app.worker_main(["worker", "--loglevel", "INFO", "--task-events", "--without-gossip", "--without-mingle", "-Ofair"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
