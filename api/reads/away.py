"""A store that does not answer becomes a 503 within a bounded time: no hanging request, no bug report."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import Final

import asyncpg
from aiohttp import ClientError
from clickhouse_connect.driver.exceptions import OperationalError as ClickHouseAway
from sqlalchemy import exc

from api.problems import Problem
from api.reads.doubt import Doubt, Probe
from api.reads.ports import Store
from db.kafka.away import KafkaAway
from db.redis.client import OUTAGE
from service.metrics import Metrics

log = logging.getLogger(__name__)

SECONDS: Final = 10.0
RETRY_AFTER: Final = "5"
_TELLS: Final[dict[Store, str]] = {"kafka": "`gridtick status`"}  # what says more of it than /readyz
FAILURES: Final[dict[Store, tuple[type[BaseException], ...]]] = {
    "clickhouse": (ClickHouseAway, ClientError, OSError, TimeoutError),
    "postgres": (
        exc.OperationalError,
        exc.InterfaceError,
        exc.TimeoutError,
        asyncpg.PostgresConnectionError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
        asyncpg.InterfaceError,
        OSError,
        TimeoutError,
    ),
    "redis": (*OUTAGE, TimeoutError),
    "kafka": (KafkaAway, TimeoutError),
}


class Watch:
    """Bounds every call of a store and names the one that fails; sooner where it answers nobody (`api.reads.doubt`)."""

    def __init__(self, metrics: Metrics, probes: Mapping[Store, Probe] | None = None) -> None:
        self._metrics = metrics
        self._doubts = {store: Doubt(probe) for store, probe in (probes or {}).items()}

    @asynccontextmanager
    async def reading(self, store: Store, seconds: float = SECONDS) -> AsyncGenerator[None]:
        """Raises a 503 problem where the store is away or takes longer than `seconds`."""
        with self.naming(store):
            async with asyncio.timeout(seconds) as limit:
                with self._calling(store, limit):
                    yield

    @contextmanager
    def naming(self, store: Store) -> Generator[None]:
        """The same, also in a thread, around a call that is bounded by itself."""
        try:
            yield
        except FAILURES[store] as error:
            self._metrics.count("store_failures", store=store)
            log.warning("store away", extra={"store": store, "error": type(error).__name__, "says": str(error)[:300]})
            tells = _TELLS.get(store, "/readyz")
            detail = f"{store} does not answer. Try again in {RETRY_AFTER} seconds; {tells} says what is away."
            raise Problem(503, "store-away", detail, headers={"Retry-After": RETRY_AFTER}) from error

    def _calling(self, store: Store, limit: asyncio.Timeout) -> AbstractContextManager[None]:
        return self._doubts[store].calling(limit) if store in self._doubts else nullcontext()
