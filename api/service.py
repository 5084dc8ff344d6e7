"""The API as a long-running part: opens the stores, serves over HTTP, closes."""

import asyncio
import contextlib
import time
from collections.abc import Generator
from socket import socket
from typing import ClassVar

import pyarrow as pa
import uvicorn
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp

from api.app import create_app
from api.cursor import Cursors
from api.latest.follower import Follower
from api.latest.kept import Kept
from api.limits.accounts import Quotas
from api.limits.usage import Usage
from api.live.live import Live
from api.live.log import LogReader
from api.live.rules import Rules
from api.live.wire import MESSAGE_BYTES, Wire
from api.reads.away import FAILURES, Watch
from api.reads.known import COMPUTING_S, Connections
from api.reads.probes import probes
from api.reads.stores import Stores
from api.security.denials import Denials
from api.security.principal import Principals
from api.state import make_state
from api.wire.protocol import Protocol
from db.clickhouse import reader
from db.clickhouse.client import connect, connect_async
from db.postgres import walls
from db.postgres.engine import make_engine
from db.postgres.schema import require_current
from db.postgres.trust import Trust
from db.redis.client import connect_async as connect_redis
from db.redis.landed import Bounds
from pipeline.errors import DataProcessingError
from service.base import AsyncService, Health
from service.settings import Settings
from service.settings.api import Api

_DRAIN_SECONDS = 10


class ApiService(AsyncService):
    """Serves the API until asked to stop, then finishes the requests under way."""

    name: ClassVar = "api"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._trust = Trust()
        self._postgres: AsyncEngine = make_engine(settings.postgres.dsn.get_secret_value(), trust=self._trust)
        self._redis: Redis = connect_redis(settings.redis.url.get_secret_value())
        self._broker: Redis = connect_redis(settings.celery.broker_url.get_secret_value())
        self._clickhouse: AsyncClient | None = None
        self._blocking: Client | None = None
        self._stores: Stores | None = None
        self._server: _Server | None = None
        self._denials: Denials | None = None
        self._usage: Usage | None = None
        self._live: Live | None = None
        self._kept = Kept(time.monotonic)

    async def startup(self) -> None:
        # Arrow's own pool keeps what a long answer has used: 50 MiB more, for ever.
        pa.set_memory_pool(pa.system_memory_pool())
        _require_secrets(self.settings)
        await self._require_schema()
        self._clickhouse = await connect_async(self.settings.clickhouse)
        await reader.require(self._clickhouse)
        self._blocking = await asyncio.to_thread(connect, self.settings.clickhouse, patience_s=round(COMPUTING_S))
        asked = probes(self.settings, (self._clickhouse, self._blocking), self._trust, self._redis)
        watch, kafka = Watch(self.metrics, asked), self.settings.kafka
        topics = (kafka.raw_topic, kafka.backfill_topic)
        secret, peppers = self.settings.api.audit_secret.get_secret_value(), self.settings.api.peppers
        bounds = Bounds(self.settings.landed.keep_s, self.settings.landed.keep_entries)
        stores = self._clickhouse, self._blocking, self._postgres, self._redis
        self._stores = Stores(Connections(*stores, watch, topics, secret, peppers, bounds, kafka, self._broker))
        self._server = self._made_server(self._stores)

    async def run(self) -> None:
        assert self._server is not None
        assert self._denials is not None
        assert self._usage is not None
        assert self._live is not None
        serving = asyncio.ensure_future(self._server.serve())
        stopping = asyncio.ensure_future(self.stopping.wait())
        following = [asyncio.ensure_future(work) for work in (self._log().run(), self._live.run())]
        recording = asyncio.ensure_future(self._denials.run())
        counting = asyncio.ensure_future(self._usage.run())
        # Who follows ends by an error alone: a process that tells nothing any more is to be made anew.
        await asyncio.wait({serving, stopping, *following}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for each in following:
            each.cancel()
        self._live.stop()
        self._server.should_exit = True
        try:
            await serving
        finally:
            self._denials.stop()  # only now: until the last answer there may be one more
            counting.cancel()
            await asyncio.gather(recording, counting, *following, return_exceptions=True)
        for each in following:
            if not each.cancelled():
                each.result()

    async def shutdown(self) -> None:
        if self._clickhouse is not None:
            await self._clickhouse.close()
        if self._blocking is not None:
            await asyncio.to_thread(self._blocking.close)
        await self._redis.aclose()
        await self._broker.aclose()
        await self._postgres.dispose()

    async def health(self) -> Health:
        away = await self._stores.away() if self._stores else {}
        reasons = tuple(f"{store} does not answer: {why}" for store, why in away.items())
        return Health(self._stores is not None and not reasons and not self.stopping.is_set(), reasons)

    async def _require_schema(self) -> None:
        try:
            await require_current(self._postgres)
            await walls.require(self._postgres)
        except FAILURES["postgres"] as error:
            raise DataProcessingError(
                "PostgreSQL does not answer. Start it, or set DATA_PROC_POSTGRES_DSN to where it runs.",
                "api",
                {"error": type(error).__name__},
            ) from error

    def _rules(self) -> Rules:
        api, landed = self.settings.api, self.settings.landed
        bounds = Bounds(landed.keep_s, landed.keep_entries)
        return Rules(bounds, api.stream_connections, api.stream_connections_of_key, tuple(api.origins), tuple(api.demo))

    def _log(self) -> LogReader:
        """The one reader of the landed log. The stream hears first: it misses nothing whatever the other meets."""
        assert self._live is not None
        assert self._stores is not None
        follower = Follower(self._redis, self._kept)
        return LogReader(self._stores, time.monotonic, [self._live.hub, follower])

    def _made_server(self, stores: Stores) -> "_Server":
        api = self.settings.api
        principals = Principals(stores.find_key, stores.note_use, api.peppers, time.monotonic, stores.rehash)
        cursors = Cursors(api.cursor_secret.get_secret_value())
        quotas = Quotas(api.key_requests_per_minute, api.tenant_requests_per_minute, api.tenant_rows_per_day)
        state = make_state(stores, principals, cursors, self.metrics, self._kept, time.monotonic, quotas)
        state.streams.most = api.streams
        self._live = state.live
        self._live.rules = self._rules()
        self._usage = state.accounts.usage
        self._denials = state.denials
        return _Server(http(create_app(state, api.origins), api))


def http(app: ASGIApp, api: Api) -> uvicorn.Config:
    """How HTTP is served; the benchmarks serve what they compare with in the same way."""
    return uvicorn.Config(
        app,
        host=api.host,
        port=api.port,
        ssl_certfile=api.tls_certificate,
        ssl_keyfile=api.tls_key,
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        ws=Wire,
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,  # a frame is made once for all who get it
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


class _Server(uvicorn.Server):
    """Leaves signals to `service.base.serve`, and a port in use to a sentence."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            host, port = self.config.host, self.config.port
            raise DataProcessingError(
                f"{host}:{port} cannot be listened on; is it in use? Set DATA_PROC_API_PORT to a free port.",
                "api",
            ) from None


def _require_secrets(settings: Settings) -> None:
    for name in ("key_pepper", "cursor_secret", "audit_secret"):
        if not getattr(settings.api, name).get_secret_value():
            raise DataProcessingError(f"DATA_PROC_API_{name.upper()} is empty. Set it to a long random text.", "api")
