"""A worker that lands batches, one after the other, in a thread of its own; each comes again until it has landed."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, Self
from uuid import uuid4

import polars as pl
import pytest

from db.clickhouse.latest import latest_all
from db.clickhouse.ticks import insert_ticks
from db.redis import telling
from db.redis.latest import write_latest
from service.settings import Settings
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import frame
from tests.stream.recipe import Recipe
from tests.stream.truth import us
from tests.workers.tasks.passing import Worker, working
from workers import changes
from workers.tasks import project

Job = Callable[[Worker], None]
_TRIES: Final = 40


class Writer:
    """`landed` batches; `repeats` of those that did not land at once."""

    def __init__(self, settings: Settings, recipe: Recipe) -> None:
        self.landed = 0
        self.repeats = 0
        self.failure: BaseException | None = None
        self._settings = settings
        self._recipe = recipe
        self._jobs = SimpleQueue[Job]()
        self._jobs_done = 0
        self._asked = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._thread.join()

    def end(self) -> None:
        self._ended.set()

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def ask(self, job: Job) -> Callable[[], bool]:
        """Does something between two batches; what is given says whether it is done."""
        self._asked += 1
        number = self._asked
        self._jobs.put(job)
        return lambda: self._jobs_done >= number

    def _work(self) -> None:
        try:
            with pytest.MonkeyPatch.context() as patch, working(self._settings, patch) as worker:
                while not self._ended.is_set():
                    self._do(worker)
                    self._land(worker, self._recipe.batch(worker.assignment, self.landed))
                    self.landed += 1
                self._do(worker)
        except BaseException as error:
            self.failure = error

    def _do(self, worker: Worker) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            job(worker)
            self._jobs_done += 1

    def _land(self, worker: Worker, rows: list[Row]) -> None:
        """The bridge sends a batch again where nobody reports it."""
        last: Exception | None = None
        for _ in range(_TRIES):
            try:
                worker.land(rows, first=self.landed)
            except Exception as error:  # Redis was emptied on the way
                last = error
            if any(ack.first == self.landed and not ack.error for ack in worker.acks()):
                return
            self.repeats += 1
        raise AssertionError(f"batch {self.landed} does not land: {last!r}")


def rebuild(worker: Worker) -> None:
    """The latest prices again, after Redis lost them."""
    project.rebuild()


def flood(recipe: Recipe, count: int) -> Job:
    """Ticks under so many offsets of a topic of their own, told one after the other as fast as they can be."""

    def tell(worker: Worker) -> None:
        topic_id, redis, bounds = uuid4().hex, worker.context.redis, changes.bounds_of(worker.context)
        rows = recipe.flood(topic_id, range(count))
        insert_ticks(worker.context.clickhouse, frame(rows))
        for offset in range(count):
            at = [us(row["ts"].isoformat()) for row in rows if row["offset"] == offset]
            landed = telling.Landed(topic_id, 0, offset, offset + 1, [(recipe.one, min(at), max(at))])
            telling.append_ticks(redis, landed, bounds)

    return tell


def burst(name: str, count: int) -> Job:
    """So many prices of one instrument, each an entry of the log."""

    def tell(worker: Worker) -> None:
        base = latest_all(worker.context.clickhouse).filter(instrument=name)
        for number in range(1, count + 1):
            offered = base.with_columns(price=pl.col("price") + number, ver=pl.col("ver") + number)
            write_latest(worker.context.redis, offered, changes.bounds_of(worker.context))

    return tell
