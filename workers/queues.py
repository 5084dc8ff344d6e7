"""The queues of a lane, their tasks' names, and how a task is sent."""

from typing import Any, Final

from celery import Celery

from service.settings import QUEUES, Lane, Settings

NORMALIZE: Final = "normalize.batch"
ENRICH: Final = "enrich.batch"
PASS: Final = "aggregate.run_pass"  # noqa: S105 - a task
DERIVE: Final = "aggregate.derive"
DERIVE_CURVES: Final = "aggregate.derive_curves"
LATEST: Final = "project.latest"
LANDED: Final = "project.landed"
REBUILD: Final = "project.rebuild"


def queues_of(lane: Lane) -> dict[str, str]:
    """The queue of each stage. Each lane has its own, so that no task of history stands before one of live prices."""
    return {stage: stage if lane == "live" else f"{lane}.{stage}" for stage in QUEUES}


def served(settings: Settings) -> list[str]:
    """The queues that a worker of these settings takes from, what is nearly done first."""
    chosen = settings.celery.queues.split(",") if settings.celery.queues else QUEUES
    return [name for stage, name in queues_of(settings.core.lane).items() if stage in chosen]


def queued(app: Celery) -> int:
    """Tasks that wait in all queues of the application's lane; raises when the broker is away."""
    with app.connection_for_write() as connection:
        client = connection.default_channel.client  # pyright: ignore[reportAttributeAccessIssue]
        return sum(client.llen(route["queue"]) for route in app.conf.task_routes.values())


def publish(app: Celery, task: str, *arguments: Any, after_s: float = 0.0) -> None:
    """Sends a task to its stage's queue in the application's lane; raises when the broker is away.

    The default direct exchange routes by the queue's name: it needs no bindings, which an emptied Redis has lost.
    """
    app.send_task(
        task,
        args=arguments,
        countdown=after_s or None,
        ignore_result=True,
        retry=False,
    )
