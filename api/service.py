"""The API as a long-running part: opens the stores, serves over HTTP, closes."""

import asyncio
import contextlib
import time
from collections.abc import Generator
from socket import socket
from typing import ClassVar

import uvicorn
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp

from api.app import create_app
from api.away import FAILURES, Watch
from api.cursor import Cursors
from api.follower import Follower
from api.kept import Kept
from api.known import COMPUTING_S, Connections
from api.security.principal import Principals
from api.state import make_state
from api.stores import Stores
from db.clickhouse.client import connect, connect_async
from db.postgres.engine import make_engine
from db.postgres.schema import require_current
from db.redis.client import connect_async as connect_redis
from pipeline.errors import DataProcessingError
from service.base import AsyncService, Health
from service.settings import Settings

_DRAIN_SECONDS = 10


class ApiService(AsyncService):
    """Serves the API until asked to stop, then finishes the requests under way."""

    name: ClassVar = "api"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._postgres: AsyncEngine = make_engine(settings.postgres.dsn.get_secret_value())
        self._redis: Redis = connect_redis(settings.redis.url.get_secret_value())
        self._clickhouse: AsyncClient | None = None
        self._blocking: Client | None = None
        self._stores: Stores | None = None
        self._server: _Server | None = None
        self._kept = Kept(time.monotonic)

    async def startup(self) -> None:
        _require_secrets(self.settings)
        await self._require_schema()
        self._clickhouse = await connect_async(self.settings.clickhouse)
        self._blocking = await asyncio.to_thread(connect, self.settings.clickhouse, patience_s=round(COMPUTING_S))
        watch, kafka = Watch(self.metrics), self.settings.kafka
        topics = (kafka.raw_topic, kafka.backfill_topic)
        self._stores = Stores(Connections(self._clickhouse, self._blocking, self._postgres, self._redis, watch, topics))
        self._server = self._made_server(self._stores)

    async def run(self) -> None:
        assert self._server is not None
        serving = asyncio.ensure_future(self._server.serve())
        stopping = asyncio.ensure_future(self.stopping.wait())
        following = asyncio.ensure_future(Follower(self._redis, self._kept, time.monotonic).run())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        following.cancel()
        self._server.should_exit = True
        await serving

    async def shutdown(self) -> None:
        if self._clickhouse is not None:
            await self._clickhouse.close()
        if self._blocking is not None:
            await asyncio.to_thread(self._blocking.close)
        await self._redis.aclose()
        await self._postgres.dispose()

    async def health(self) -> Health:
        away = await self._stores.away() if self._stores else {}
        reasons = tuple(f"{store} does not answer: {why}" for store, why in away.items())
        return Health(self._stores is not None and not reasons and not self.stopping.is_set(), reasons)

    async def _require_schema(self) -> None:
        try:
            await require_current(self._postgres)
        except FAILURES["postgres"] as error:
            raise DataProcessingError(
                "PostgreSQL does not answer. Start it, or set DATA_PROC_POSTGRES_DSN to where it runs.",
                "api",
                {"error": type(error).__name__},
            ) from error

    def _made_server(self, stores: Stores) -> "_Server":
        api = self.settings.api
        principals = Principals(stores.find_key, stores.note_use, api.key_pepper.get_secret_value(), time.monotonic)
        cursors = Cursors(api.cursor_secret.get_secret_value())
        app = create_app(make_state(stores, principals, cursors, self.metrics, self._kept, time.monotonic))
        return _Server(http(app, api.host, api.port))


def http(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    """How HTTP is served; the benchmarks serve what they compare with in the same way."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",  # no route is a WebSocket yet: an upgrade is answered as the GET that it is
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
    for name in ("key_pepper", "cursor_secret"):
        if not getattr(settings.api, name).get_secret_value():
            raise DataProcessingError(f"DATA_PROC_API_{name.upper()} is empty. Set it to a long random text.", "api")
