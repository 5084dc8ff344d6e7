"""A store that does not answer becomes a 503 within a bounded time: no hanging request, no bug report."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
from aiohttp import ClientError
from clickhouse_connect.driver.exceptions import OperationalError as ClickHouseAway
from sqlalchemy import exc

from api.ports import Store
from api.problems import Problem
from db.redis.client import OUTAGE
from service.metrics import Metrics

log = logging.getLogger(__name__)

SECONDS: Final = 10.0
RETRY_AFTER: Final = "5"
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
}


class Watch:
    """Bounds every call of a store and names the store that fails."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @asynccontextmanager
    async def reading(self, store: Store, seconds: float = SECONDS) -> AsyncGenerator[None]:
        """Raises a 503 problem where the store is away or takes longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except FAILURES[store] as error:
            self._metrics.count("store_failures", store=store)
            log.warning("store away", extra={"store": store, "error": type(error).__name__, "says": str(error)[:300]})
            detail = f"{store} does not answer. Try again in {RETRY_AFTER} seconds; /readyz says what is away."
            raise Problem(503, "store-away", detail, headers={"Retry-After": RETRY_AFTER}) from error
