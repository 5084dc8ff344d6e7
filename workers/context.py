"""What one worker process works with: its clients, made after the process was, and its snapshot of the reference.

Polars and librdkafka do not survive a fork, connections belong to one process: nothing here is made at import.
"""

import time
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import polars as pl
from clickhouse_connect.driver.client import Client
from redis import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from db.clickhouse.client import assert_settings
from db.clickhouse.client import connect as connect_clickhouse
from db.kafka.events import EventProducer
from db.kafka.producer import ConfirmedProducer
from db.postgres.engine import make_engine
from db.redis.client import connect, connect_async
from db.redis.passes import Passes
from db.reference.keeper import Keeper
from db.reference.snapshot import INSTRUMENTS, Snapshot
from pipeline.reference.known import Held, held
from service import clock
from service.metrics import Metrics
from service.settings import Settings, load
from workers.runner import Runner


@dataclass
class Context:
    """The clients of this process; each connects at first use."""

    settings: Settings
    metrics: Metrics = field(default_factory=lambda: Metrics("workers"))
    runner: Runner = field(default_factory=Runner)
    _version: int = -1
    _known: Held | None = None

    @cached_property
    def redis(self) -> Redis:
        return connect(self.settings.redis.url.get_secret_value())

    @cached_property
    def passes(self) -> Passes:
        return Passes(self.redis, self.settings.core.lane)

    @cached_property
    def clickhouse(self) -> Client:
        client = connect_clickhouse(self.settings.clickhouse, gentle=self.settings.core.lane == "backfill")
        assert_settings(client)
        return client

    @cached_property
    def postgres(self) -> AsyncEngine:
        return make_engine(self.settings.postgres.dsn.get_secret_value())

    @cached_property
    def producer(self) -> ConfirmedProducer:
        kafka = self.settings.kafka
        return ConfirmedProducer(kafka.bootstrap, kafka.message_max_bytes)

    @cached_property
    def events(self) -> EventProducer:
        kafka = self.settings.kafka
        return EventProducer(kafka.bootstrap, kafka.message_max_bytes)

    @property
    def reference_version(self) -> int:
        """The version of the snapshot that `reference` gave last."""
        return self._version

    @cached_property
    def keeper(self) -> Keeper:
        redis = connect_async(self.settings.redis.url.get_secret_value())
        return Keeper(self.postgres, redis, time.monotonic)

    def snapshot(self, *, fresh: bool = False) -> Snapshot:
        """The reference, at most a second old; `fresh`: as new as this call."""
        return self.runner.wait(self.keeper.current(fresh=fresh))

    def reference(self, *, fresh: bool = False) -> pl.DataFrame:
        """What is known today of all instruments (`pipeline.reference.known.KNOWN`), at most a second old."""
        present = self.snapshot(fresh=fresh)
        if present.version != self._version or self._known is None or self._known.day != self.day:
            instruments = present.tables[INSTRUMENTS]
            self._known = held(instruments, present.tables, present.tables_version, self.day, self._known)
            self._version = present.version
        return self._known.known

    @property
    def day(self) -> date:
        """Whose reference is valid now."""
        return clock.now().date()


_present: Context | None = None


def current() -> Context:
    """The context of this process."""
    global _present  # noqa: PLW0603 - one a process, by intention
    if _present is None:
        _present = Context(load())
    return _present


def use(context: Context | None) -> None:
    """Sets (or with nothing: forgets) the context of this process."""
    global _present  # noqa: PLW0603
    _present = context
