"""The Celery application as workers run it: logs, clients made in each process, children that end with it."""

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

from celery.signals import setup_logging, worker_process_init, worker_process_shutdown

from service import logs
from service.settings import load
from workers import context
from workers.broker import make_app

_PR_SET_PDEATHSIG: Final = 1

log = logging.getLogger(__name__)

Step = TypeVar("Step", bound=Callable[..., None])


app = make_app(load())


def task(name: str) -> Callable[[Step], Step]:
    """Registers a function as the task of that name. It is sent by name, with `workers.queues.publish`."""

    def register(step: Step) -> Step:
        app.task(step, name=name)
        return step

    return register


@setup_logging.connect
def _logs(**_: Any) -> None:
    settings = load()
    logs.configure(settings.core.log_level, logs.secrets_of(settings))
    # Two lines a task; failures are logged by the tasks, with their position.
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@worker_process_init.connect
def _begin(**_: Any) -> None:
    """A child makes its own clients, and dies when its parent was killed."""
    die_with_parent()
    _logs()
    context.use(context.Context(load()))
    _warm()


def _warm() -> None:
    """Connects, and reads the reference, before a price waits for it; what fails now is tried again when it is used."""
    present = context.current()
    for step in (present.redis.ping, present.reference, lambda: present.clickhouse):
        try:
            step()
        except Exception as error:
            log.info("not warmed", extra={"cause": f"{type(error).__name__}: {error}"[:200]})


@worker_process_shutdown.connect
def _end(**_: Any) -> None:
    context.use(None)


def die_with_parent() -> None:
    """However the parent ends, this process does not outlive it."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died in between
        os._exit(1)
