"""The Celery application's settings. Celery only carries the work: what it loses, the bridge sends again."""

from typing import Final

from celery import Celery
from kombu.entity import Exchange, Queue

from service.settings import Settings
from workers.queues import queues_of

# A task that a killed worker held comes back after this long; the bridge's repeats usually come before.
VISIBILITY_S: Final = 120
TASK_S: Final = 90  # a task that takes longer hangs: its process is killed, its batch sent again
# A process that has not begun by then is killed, and another one begins, just as slowly. Celery's 4 s are too few on a
# busy machine: it imports, connects and reads the reference first, and none of them would ever begin.
ALIVE_S: Final = 120


def make_app(settings: Settings) -> Celery:
    """The application with every setting in code."""
    queues = queues_of(settings.core.lane)
    app = Celery("gridtick", broker=settings.celery.broker_url.get_secret_value())
    app.conf.update(
        include=[
            "workers.tasks.normalize",
            "workers.tasks.enrich",
            "workers.tasks.aggregate",
            "workers.tasks.derive",
            "workers.tasks.project",
        ],
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in queues.values()],
        task_routes={f"{stage}.*": {"queue": name} for stage, name in queues.items()},
        task_default_queue=queues["normalize"],
        task_create_missing_queues=False,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        task_time_limit=TASK_S,
        worker_prefetch_multiplier=1,
        worker_send_task_events=True,
        worker_enable_remote_control=True,
        worker_concurrency=settings.celery.concurrency,
        worker_pool="prefork",
        worker_pool_start_method="spawn",
        worker_proc_alive_timeout=ALIVE_S,
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
