"""Histories on the real stores, told by the stream of an API within this process: no socket, no wait."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from redis import Redis

from api.live.asked import Subscribe
from api.live.connection import Connection
from api.live.frames import Frame
from api.live.live import Live
from api.live.log import LogReader
from api.live.tokens import Past
from api.reads.stores import Stores
from api.security.principal import principal_of
from api.security.sight import Sight
from api.service import ApiService
from db.clickhouse.bars import run_pass
from db.clickhouse.client import connect
from db.clickhouse.ticks import insert_ticks
from db.postgres.access import StoredKey
from db.redis import generation, telling
from db.redis.client import connect as connect_redis
from db.redis.landed import Bounds
from db.redis.latest import write_latest
from local.stack import REDIS, Stack
from pipeline.bars import touched
from pipeline.schema import LATEST
from service import clock
from service.metrics import Metrics
from service.settings import Settings, load
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import frame
from tests.polling import until_async
from workers import changes

BOUNDS = Bounds(3600, 1000)


@dataclass
class Sent:
    """A way to a client, who takes all at once."""

    frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    ready: bool = True

    def write(self, frame: Frame) -> None:
        self.frames.append(json.loads(frame.json))

    async def room(self) -> None:
        await asyncio.sleep(0)

    def send_away(self, code: int, reason: str) -> None:
        raise AssertionError(f"sent away: {code} {reason}")

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [each for each in self.frames if each["type"] in kinds]

    def caught_up(self) -> bool:
        return bool(self.of("caught_up"))


class PastWorld:
    """An API's stores and stream, a tenant, and what lands for it. `known`: all that was known before has landed."""

    def __init__(self, settings: Settings, stores: Stores, live: Live, redis: Redis, tenant: str) -> None:
        self.tenant, self.stores, self.live, self.redis = tenant, stores, live, redis
        self.known = LATEST
        self._settings = settings

    async def known_until(self) -> datetime:
        return self.known

    def land(self, rows: Sequence[Row]) -> None:
        """As a batch lands: its ticks, bars and latest prices, and each told."""
        client, ticks = connect(self._settings.clickhouse), frame([*rows])
        insert_ticks(client, ticks)
        nobody, silent = SimpleNamespace(send=_nothing, flush=_nothing), Metrics("workers")
        context = SimpleNamespace(
            clickhouse=client, redis=self.redis, settings=self._settings, events=nobody, metrics=silent
        )
        states = run_pass(client, touched(ticks), lambda found: write_latest(self.redis, found, BOUNDS) and None)
        changes.tell(cast("Any", context), states)
        for row in rows:
            at_us = clock.to_us(row["ts"])
            span = [(row["tenant"], at_us, at_us)]
            told = telling.Landed(row["topic_id"], row["partition"], row["offset"], row["offset"] + 1, span)
            telling.append_ticks(self.redis, told, BOUNDS)
        client.close()

    def connection(self, way: Sent) -> Connection:
        connection = self.live.open(way)
        stored = StoredKey("k", self.tenant, "t", "analyst", None, b"", None, None)
        connection.principal = principal_of(stored)
        return connection

    @asynccontextmanager
    async def told(self, channel: Any, names: Sequence[str], **more: Any) -> AsyncGenerator[Sent]:
        """What a subscription is sent, which is live by now."""
        way = Sent()
        connection = self.connection(way)
        await connection.subscribe(Subscribe(id=1, channel=channel, instruments=list(names), **more))
        try:
            await until_async(way.caught_up, 60, "it has caught up")
            yield way
        finally:
            self.live.close(connection)


@asynccontextmanager
async def opened(stack: Stack, url: str, tenant: str) -> AsyncGenerator[PastWorld]:
    """Over a Redis database of its own, whose register is whole."""
    secrets = {"DATA_PROC_API_KEY_PEPPER": "a pepper", "DATA_PROC_API_CURSOR_SECRET": "a secret"}
    own = load({**stack.environ, "DATA_PROC_ENV": "test", **secrets, REDIS: url})
    redis, service = connect_redis(url), ApiService(own)
    redis.flushdb()
    token = generation.begin(redis)
    assert token is not None
    assert generation.finish(redis, token)
    await service.startup()
    stores = cast("Stores", service._stores)  # pyright: ignore[reportPrivateUsage]
    live = Live(stores, Sight(stores.snapshot), service.metrics, asyncio.get_running_loop().time)
    tasks = [
        asyncio.ensure_future(work) for work in (LogReader(stores, live.hub.monotonic, [live.hub]).run(), live.run())
    ]
    world = PastWorld(own, stores, live, redis, tenant)
    stores.known_until = world.known_until
    try:
        yield world
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await service.shutdown()
        redis.flushdb()
        redis.close()


def _nothing(*_: object) -> None: ...


def instant_of(frame: dict[str, Any]) -> datetime | None:
    """Up to which instant of history all has been sent with a frame; None of one that is live."""
    past = Past.read(frame["resume"] or "")
    return None if past is None else past.at
