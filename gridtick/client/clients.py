"""The clients: one that blocks and one that is awaited, with the same reads."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import httpx

from gridtick.client import reads
from gridtick.client.admin_keys import AsyncKeys, Keys
from gridtick.client.audit import AsyncAudit, Audit
from gridtick.client.curves import AsyncCurves, Curves
from gridtick.client.exchange import Exchange
from gridtick.client.given import DEFAULT_URL, address
from gridtick.client.http import Api, AsyncApi
from gridtick.client.keys import Secret, found
from gridtick.client.letters import AsyncDeadLetters, DeadLetters
from gridtick.client.methods import (
    AsyncPart,
    Part,
    async_call,
    async_rows,
    async_table,
    call,
    rows,
    table,
)
from gridtick.client.retrying import Retries
from gridtick.client.spreads import AsyncSpreads, Spreads
from gridtick.client.stream.live import AsyncLive, Live
from gridtick.client.tenants import AsyncTenants, Tenants

_SECONDS: Final = 30.0
_RETRIES: Final = 3
KeyFile = str | os.PathLike[str]


class Client(Part, Live):
    """Reads of one API with one key: the arguments, else `GRIDTICK_URL` and `GRIDTICK_API_KEY`.

    The key may also lie in a file: `key_file`, else what `GRIDTICK_API_KEY_FILE` names. Raises `Unreachable` where
    nothing answers, an `ApiError` of the right type for a refusal, and `GridtickError`, which both are, for all else:
    a wrong address or key, what cannot be asked, an answer that is none of ours. Lists are iterators that fetch page
    after page; `limit` bounds all rows together.

    A read whose connection fails, or that is told to come again (429 and 503 with `Retry-After` of at most 30 seconds),
    is sent again `retries` times; a change only where it has an Idempotency-Key (`once`).
    """

    latest = table(reads.latest)
    ticks = table(reads.ticks)
    bars = table(reads.bars)
    instruments = table(reads.instruments)
    explain = call(reads.explain)
    markets = rows(reads.markets)
    status = call(reads.status)
    me = call(reads.me)

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        key_file: KeyFile | None = None,
        timeout: float = _SECONDS,
        retries: int = _RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        exchange = _exchange(url, key, key_file, retries)
        self.url = exchange.url
        self._http = httpx.Client(
            base_url=self.url, headers=_headers(exchange.secret), timeout=timeout, transport=transport
        )
        api = Api(self._http, exchange)
        Part.__init__(self, api)
        Live.__init__(self, api, has_proxy=transport is None)
        self.curves = Curves(api)
        self.spreads = Spreads(api)
        self.audit = Audit(api)
        self.keys = Keys(api)
        self.tenants = Tenants(api)
        self.dead_letters = DeadLetters(api)

    def __repr__(self) -> str:
        return f"Client({self.url!r}, key={self.api.exchange.secret!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the streams and connections of this client."""
        self.end_streams()
        self._http.close()


class AsyncClient(AsyncPart, AsyncLive):
    """The same for programs that await: `await client.me()`, `async for bar in client.bars(…)`."""

    latest = async_table(reads.latest)
    ticks = async_table(reads.ticks)
    bars = async_table(reads.bars)
    instruments = async_table(reads.instruments)
    explain = async_call(reads.explain)
    markets = async_rows(reads.markets)
    status = async_call(reads.status)
    me = async_call(reads.me)

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        key_file: KeyFile | None = None,
        timeout: float = _SECONDS,
        retries: int = _RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        exchange = _exchange(url, key, key_file, retries)
        self.url = exchange.url
        self._http = httpx.AsyncClient(
            base_url=self.url, headers=_headers(exchange.secret), timeout=timeout, transport=transport
        )
        api = AsyncApi(self._http, exchange)
        AsyncPart.__init__(self, api)
        AsyncLive.__init__(self, api, has_proxy=transport is None)
        self.curves = AsyncCurves(api)
        self.spreads = AsyncSpreads(api)
        self.audit = AsyncAudit(api)
        self.keys = AsyncKeys(api)
        self.tenants = AsyncTenants(api)
        self.dead_letters = AsyncDeadLetters(api)

    def __repr__(self) -> str:
        return f"AsyncClient({self.url!r}, key={self.api.exchange.secret!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the streams and connections of this client."""
        await self.end_streams()
        await self._http.aclose()


def _exchange(url: str | None, key: str | None, key_file: KeyFile | None, retries: int) -> Exchange:
    where = address(url or os.environ.get("GRIDTICK_URL") or DEFAULT_URL)
    return Exchange(where, found(key, key_file), Retries(retries))


def _headers(secret: Secret) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {secret.reveal()}", "User-Agent": "gridtick-client"}
