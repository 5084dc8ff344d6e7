"""Batches through the last two stages of a real system, without Celery: its tasks are called where it would."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from db.kafka.admin import make_admin
from db.kafka.topics import ensure_topics, ours
from db.redis import acks, claims
from db.redis.acks import Ack
from pipeline.enrich import enrich
from service.settings import Settings, load
from tests import topics
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import frame
from workers import context as contexts
from workers import outgoing
from workers.context import Context
from workers.frames import frame_to_bytes
from workers.header import ENRICHED, BatchHeader
from workers.queues import LANDED, LATEST
from workers.tasks import aggregate, derive, project, storing

OUTGOING = ("normalized", "enriched", "bars", "curves")


@dataclass
class Worker:
    """One worker process with topics of its own; `sent` are the tasks that wait in Celery's queues."""

    context: Context
    assignment: str = field(default_factory=lambda: uuid4().hex)
    sent: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])

    def publish(self, app: object, task: str, *arguments: Any, after_s: float = 0) -> None:
        self.sent.append((task, *arguments))

    def store(self, rows: Sequence[Row], batch_id: str = "", first: int = 0) -> BatchHeader:
        """One batch, stored as the task before stores it."""
        header = BatchHeader(
            batch_id or uuid4().hex, self.assignment, "raw", self.assignment, 0, first, first + 1, 1, 0, len(rows),
            reference=3,
        )  # fmt: skip
        context = self.context
        ticks = enrich(frame(list(rows)), context.reference(), context.snapshot().tables, context.day).ticks
        if outgoing.wants_ticks(context):
            claims.put(context.redis, header.claim(ENRICHED), frame_to_bytes(ticks))
        storing.store(context, [storing.Ticks(header, ticks)])
        return header

    def run_pass(self) -> tuple[list[dict[str, Any]], str]:
        """The arguments of `project.landed` for all batches that wait."""
        self.sent.clear()
        aggregate.run_pass()
        [(_, batches, name)] = [each for each in self.sent if each[0] == LANDED]
        assert (LATEST, name) in self.sent
        return batches, name

    def land(self, rows: Sequence[Row], **batch: Any) -> None:
        """One batch all the way."""
        self.store(rows, **batch)
        project.landed(*self.run_pass())

    def acks(self) -> list[Ack]:
        """What the bridge has heard since the last call."""
        return acks.pop(self.context.redis, self.assignment, 100)

    def events(self, kind: str) -> list[Any]:
        """All that stands in one outgoing topic."""
        kafka = self.context.settings.kafka
        return topics.events(kafka.bootstrap, getattr(kafka, f"{kind}_topic"))

    def ids(self) -> dict[str, list[str]]:
        """The ids in each outgoing topic."""
        return {kind: [each["envelope"]["event_id"] for each in self.events(kind)] for kind in OUTGOING}

    def failures(self, task: str) -> float:
        return self.context.metrics.value("task_failures_total", task=task)


def worker_settings(settings: Settings, environ: dict[str, str], off: Sequence[str] = ()) -> Settings:
    """Settings with outgoing topics of their own, made, those of `off` switched off."""
    mark = uuid4().hex
    own = {f"DATA_PROC_KAFKA_{kind.upper()}_TOPIC": "" if kind in off else f"{kind}-{mark}" for kind in OUTGOING}
    made = load({**environ, **own, "DATA_PROC_ENV": "test"})
    ensure_topics(make_admin(settings.kafka.bootstrap), ours(made.kafka), partitions=2)
    return made


@contextmanager
def working(settings: Settings, patch: pytest.MonkeyPatch) -> Generator[Worker]:
    """The one worker of this process."""
    context = Context(settings)
    worker = Worker(context)
    patch.setattr(aggregate, "publish", worker.publish)
    patch.setattr(derive, "publish", worker.publish)
    contexts.use(context)
    while context.passes.take() is not None:
        pass
    context.passes.release_turn()
    try:
        yield worker
    finally:
        contexts.use(None)
        context.runner.wait(context.postgres.dispose())
        context.runner.close()
        context.redis.close()
