"""The Celery application. Celery only carries the work: what it loses, the bridge sends again."""

import ctypes
import os
import signal
import sys
from typing import Any, Final

from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown
from kombu import Queue

from service import logs
from service.settings import Settings, load
from workers import context
from workers.queues import QUEUES

# A task that a killed worker held comes back after this long; the bridge's repeats usually come before.
VISIBILITY_S: Final = 120
_PR_SET_PDEATHSIG: Final = 1


def make_app(settings: Settings) -> Celery:
    """The application with every setting in code."""
    app = Celery("gridtick", broker=settings.celery.broker_url.get_secret_value())
    app.conf.update(
        include=["workers.tasks.normalize", "workers.tasks.enrich", "workers.tasks.aggregate", "workers.tasks.project"],
        task_queues=[Queue(name) for name in QUEUES],
        task_default_queue="normalize",
        task_create_missing_queues=False,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=True,
        worker_enable_remote_control=True,
        worker_concurrency=settings.celery.concurrency,
        worker_pool="prefork",
        worker_pool_start_method="spawn",
        worker_max_memory_per_child=settings.celery.max_memory_mib * 1024,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_S,
            "queue_order_strategy": "priority",
            "socket_connect_timeout": 2,
            "socket_timeout": 10,
            "socket_keepalive": True,
            "max_retries": 1,
            "interval_start": 0,
        },
    )
    return app


app = make_app(load())


@setup_logging.connect
def _logs(**_: Any) -> None:
    settings = load()
    logs.configure(settings.core.log_level, logs.secrets_of(settings))


@worker_process_init.connect
def _begin(**_: Any) -> None:
    """A child makes its own clients, and dies when its parent was killed."""
    _die_with_parent()
    settings = load()
    logs.configure(settings.core.log_level, logs.secrets_of(settings))
    context.use(context.Context(settings))


@worker_process_shutdown.connect
def _end(**_: Any) -> None:
    context.use(None)


def _die_with_parent() -> None:
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died in between
        os._exit(1)
