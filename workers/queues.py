"""The four queues, their tasks' names, and how a task is sent."""

from typing import Any, Final

from celery import Celery

QUEUES: Final = ("project", "aggregate", "enrich", "normalize")  # what is nearly done comes first

NORMALIZE: Final = "normalize.batch"
ENRICH: Final = "enrich.batch"
STORE: Final = "aggregate.store"
PASS: Final = "aggregate.run_pass"  # noqa: S105 - a task
LANDED: Final = "project.landed"
REBUILD: Final = "project.rebuild"


def queued(app: Celery) -> int:
    """Tasks that wait in all queues; raises when the broker is away."""
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        return sum(channel.client.llen(name) for name in QUEUES)  # pyright: ignore[reportAttributeAccessIssue]


def publish(app: Celery, task: str, *arguments: Any, after_s: float = 0.0) -> None:
    """Sends a task to the queue that its name begins with; raises when the broker is away.

    The default direct exchange routes by the queue's name: it needs no bindings, which an emptied Redis has lost.
    """
    app.send_task(
        task,
        args=arguments,
        queue=task.partition(".")[0],
        countdown=after_s or None,
        ignore_result=True,
        retry=False,
    )
