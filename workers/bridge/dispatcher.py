"""Sends batches through Celery and hears of them through Redis."""

import logging
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis

from db.redis import acks, claims, generation, idle
from db.redis.acks import Ack
from db.redis.client import OUTAGE
from db.redis.passes import Passes
from service import clock
from workers.bridge.ports import Outage
from workers.bridge.window import Flight
from workers.header import RAW, BatchHeader
from workers.queues import NORMALIZE, REBUILD, publish, queued

log = logging.getLogger(__name__)

MOST_ACKS: Final = 200
REBUILD_AGAIN_S: Final = 5.0


class RedisDispatcher:
    """One topic's batches. A batch keeps its id and its claim check over repeats, so that Redis stays bounded."""

    def __init__(self, app: Celery, redis: Redis, passes: Passes, topic: str, clock: Callable[[], float]) -> None:
        self._app, self._redis, self._passes, self._clock = app, redis, passes, clock
        self._topic = topic
        self._rebuild_at = 0.0
        self._preparing = set[str]()
        self.topic_id = ""

    def open(self, assignment: str) -> None:
        with _outages():
            acks.open_starts(self._redis, assignment)

    def is_open(self, assignment: str) -> bool:
        with _outages():
            return acks.is_open(self._redis, assignment)

    def send(self, assignment: str, flights: Sequence[Flight]) -> None:
        """One task for all of them."""
        headers = [self._header(assignment, flight) for flight in flights]
        with _outages():
            for header, flight in zip(headers, flights, strict=True):
                claims.put(self._redis, header.claim(RAW), flight.payload)
                self._passes.announce(flight.batch_id, clock.now_us())
            publish(self._app, NORMALIZE, [header.to_json() for header in headers])
        self._preparing |= {flight.batch_id for flight in flights}

    def is_preparing(self) -> bool:
        """Whether a batch of ours is on its way to being stored."""
        if self._preparing:
            with _outages():
                self._preparing &= self._passes.coming(clock.now_us())
        return bool(self._preparing)

    def acks(self, assignment: str, wait_s: float) -> Sequence[Ack]:
        with _outages():
            return acks.pop(self._redis, assignment, MOST_ACKS, wait_s)

    def take_started(self, assignment: str, batch_id: str) -> str | None:
        with _outages():
            return acks.take_started(self._redis, assignment, batch_id)

    def waiting(self) -> int:
        """Tasks in the queues that no worker has taken."""
        with _outages():
            return queued(self._app)

    def withdraw(self, flights: Sequence[Flight]) -> None:
        """Batches that no worker has begun hold nothing any more: their tasks end quietly."""
        with _outages():
            claims.drop(self._redis, *(f"{flight.batch_id}:{RAW}" for flight in flights))

    def heal(self) -> None:
        """Has the latest prices built again where Redis lost them, also when no traffic flows."""
        with _outages():
            if self._clock() < self._rebuild_at or generation.read(self._redis).state != "missing":
                return
            publish(self._app, REBUILD)
            self._rebuild_at = self._clock() + REBUILD_AGAIN_S
            log.info("latest prices are missing in Redis: rebuild asked for")

    def note_quiet(self, partitions: Collection[int], until_us: Mapping[int, int]) -> None:
        """Tells who asks what was known at an instant which of the partitions have nothing more of it."""
        with _outages():
            idle.note(self._redis, self._topic, self.topic_id, partitions, until_us)

    def _header(self, assignment: str, flight: Flight) -> BatchHeader:
        return BatchHeader(
            batch_id=flight.batch_id,
            assignment=assignment,
            topic=self._topic,
            topic_id=self.topic_id,
            partition=flight.partition,
            first=flight.first,
            next=flight.next,
            messages=flight.messages,
            known_at_us=flight.known_at_us,
        )


@contextmanager
def _outages() -> Generator[None]:
    try:
        yield
    except (*OUTAGE, OperationalError) as error:
        raise Outage(f"Redis: {error}") from error
