"""`python -m workers.bridge`: the bridge from the raw topic to the workers."""

import asyncio
import ctypes
import logging
import sys
import threading
import time
from contextlib import suppress
from typing import ClassVar, Final

from confluent_kafka import KafkaException
from redis import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from db.kafka.admin import make_admin, topic_id
from db.kafka.consumer import make_consumer
from db.kafka.producer import ConfirmedProducer
from db.postgres.engine import make_engine
from db.redis.client import connect
from db.redis.passes import Passes
from pipeline.errors import DataProcessingError
from service.base import AsyncService, Health, main
from service.exposition import Exposition, exposed
from service.settings import Settings
from workers.bridge.batcher import Limits
from workers.bridge.brake import LOOK_S, Brake, PostgresStops
from workers.bridge.breaker import Breaker, sentences
from workers.bridge.deadletters import KafkaDeadLetters
from workers.bridge.dispatcher import RedisDispatcher
from workers.bridge.ledger import PostgresLedger
from workers.bridge.loop import Loop, Valve
from workers.bridge.poison import Poison
from workers.bridge.room import ClickHouseDisk, disk_room
from workers.bridge.source import KafkaSource
from workers.bridge.tally import Tally, Tripped
from workers.broker import make_app
from workers.lanes import give_way
from workers.runner import Runner

log = logging.getLogger(__name__)

_M_ARENA_MAX: Final = -8


class Bridge(AsyncService):
    """One consumer of one lane's topic, driven by one thread of its own."""

    name: ClassVar = "bridge"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._runner = Runner()
        self._stop = threading.Event()
        dsn = settings.postgres.dsn.get_secret_value()
        stops = PostgresStops(make_engine(dsn, pooled=False), self._runner, settings.core.lane)
        self._brake = Brake(stops, time.monotonic)
        self._loop: Loop | None = None
        self._exposition: Exposition | None = None

    async def startup(self) -> None:
        """Asks Kafka for the lane's topic, so that a wrong address is told at once."""
        give_way(self.settings.core.lane)
        self._exposition = exposed(self, self.settings.metrics.bridge_port)
        self._admin = make_admin(self.settings.kafka.bootstrap)
        await asyncio.to_thread(topic_id, self._admin, self.settings.lane_topic)

    async def run(self) -> None:
        """Works until asked to stop; the end waits a bounded time for what is on the way."""
        working = asyncio.ensure_future(asyncio.to_thread(self._work))
        asked = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
            self._stop.set()
            await working
        finally:
            self._stop.set()
            asked.cancel()

    async def shutdown(self) -> None:
        if self._exposition is not None:
            self._exposition.close()

    async def health(self) -> Health:
        """Not ready while it stops, while the store's disk is full, and while the lane is stopped."""
        loop = self._loop
        reasons = tuple(filter(None, (self._brake.reason, loop.lacking if loop is not None else "")))
        return Health(ready=not self._stop.is_set() and not reasons, reasons=reasons)

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                self._hold()
                if not self._stop.is_set():
                    self._bridge()
        finally:
            self._runner.close()

    def _hold(self) -> None:
        """While the lane is stopped: reads nothing and says why. Ending would have a supervisor start it again, and
        every start would drain some more messages into the dead letters.
        """
        if self.settings.bridge.breaker == "off":
            while not self._stop.is_set() and not self._brake.release():
                self._stop.wait(LOOK_S)
            return
        while not self._stop.is_set():
            holds = self._brake.holds()
            self.metrics.set("bridge_tripped", holds)
            if not holds:
                return
            self._stop.wait(LOOK_S)

    def _bridge(self) -> None:
        """From the topic to the workers, until asked to stop or until the breaker trips."""
        source, loop, close = self._made()
        self._loop = loop
        try:
            source.subscribe(loop)
            while not self._stop.is_set():
                loop.step()
        except KafkaException as error:
            raise DataProcessingError(f"Kafka cannot be read: {error}", "bridge") from error
        except Tripped as tripped:
            self._brake.pull(sentences(tripped.message, self.settings.core.lane))
        finally:
            with suppress(KafkaException):  # what was not committed is read again
                source.close()
            close()
            self._loop = None

    def _made(self) -> tuple[KafkaSource, Loop, "_Close"]:
        """The loop with its real ports, all made in the thread that uses them."""
        settings, kafka, topic = self.settings, self.settings.kafka, self.settings.lane_topic
        engine = make_engine(settings.postgres.dsn.get_secret_value())
        redis = connect(settings.redis.url.get_secret_value())
        producer = ConfirmedProducer(kafka.bootstrap, kafka.message_max_bytes)
        dispatcher = RedisDispatcher(
            make_app(settings), redis, Passes(redis, settings.core.lane), topic, time.monotonic
        )
        ledger = PostgresLedger(engine, self._runner, topic)
        letters = KafkaDeadLetters(producer, kafka.deadletter_topic, topic)

        def identify() -> str:
            identity = topic_id(self._admin, topic)
            dispatcher.topic_id = ledger.topic_id = letters.topic_id = identity
            return identity

        consumer = make_consumer(kafka.bootstrap, settings.lane_group, kafka.message_max_bytes)
        source = KafkaSource(consumer, topic, identify, time.monotonic)
        tally = Tally(self.metrics, Breaker() if settings.bridge.breaker == "on" else None)
        poison = Poison(dispatcher, ledger, letters, tally)
        loop = Loop(source, dispatcher, ledger, poison, _valve(settings), tally, time.monotonic)
        return source, loop, _Close(self._runner, engine, redis)


class _Close:
    def __init__(self, runner: Runner, engine: AsyncEngine, redis: Redis) -> None:
        self._runner, self._engine, self._redis = runner, engine, redis

    def __call__(self) -> None:
        self._runner.wait(self._engine.dispose())
        self._runner.close()
        self._redis.close()


def _valve(settings: Settings) -> Valve:
    bridge = settings.bridge
    limits = Limits(bridge.batch_messages, bridge.batch_bytes, bridge.batch_age_ms / 1000)
    room = disk_room(settings, ClickHouseDisk(settings), time.monotonic)
    return Valve(limits, bridge.window_bytes, bridge.resend_after_s, room)


def _few_arenas() -> None:
    """One memory pool a thread would keep what passed through it: librdkafka has many threads."""
    if sys.platform == "linux":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


if __name__ == "__main__":
    _few_arenas()
    sys.exit(main(Bridge))
