"""What a gap left out, fetched from the addresses that it names."""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import httpx

from gridtick.client.asked import Ask
from gridtick.client.errors import ApiError, GridtickError, NotFound, Unreachable
from gridtick.client.exchange import Exchange
from gridtick.client.retrying import may_pass
from gridtick.client.stream.errors import Lost
from gridtick.client.stream.frames import shaped

_CURVES: Final = "/v1/curves/"
Row: TypeAlias = dict[str, Any]
Fetch: TypeAlias = Callable[[Ask], Awaitable[dict[str, Any]]]


async def rows_of_gap(exchange: Exchange, fetch: Fetch, addresses: Sequence[str]) -> AsyncGenerator[list[Row]]:
    """The rows of all addresses in the order in which they became known; never more than a page of each is held."""
    sources = [_Source(exchange, fetch, ask_of(exchange.url, address)) for address in addresses]
    for source in sources:
        await source.more()
    while sources := [each for each in sources if each.rows]:
        taken: list[Row] = []
        while all(each.rows for each in sources):
            taken.append(min(sources, key=_Source.known).rows.popleft())
        yield taken
        for source in sources:
            await source.more()


def later(error: Unreachable | ApiError) -> Lost | None:
    """What a gap that cannot be filled for now means: the next connection tells it again. None: it never can be."""
    if isinstance(error, Unreachable):
        return Lost(f"a gap cannot be filled now: {error}")
    least = error.retry_after or 0.0
    return Lost(f"a gap cannot be filled now: {error}", least=least) if may_pass(error.status) else None


def ask_of(url: str, address: str) -> Ask:
    """The request to an address of the API. Raises `GridtickError` for any other place: it would be shown the key."""
    path = address.removeprefix(url)
    if not path.startswith("/") or path.startswith("//"):
        raise GridtickError(f"A gap names {address!r}, which is no address of {url}: it is not asked.")
    read = httpx.URL(path)
    return Ask("GET", read.path, {name: read.params.get_list(name) for name in read.params})


class _Source:
    """The rows of one address, a page at a time."""

    def __init__(self, exchange: Exchange, fetch: Fetch, ask: Ask) -> None:
        self.rows = deque[Row]()
        self._exchange = exchange
        self._fetch = fetch
        self._ask: Ask | None = ask

    def known(self) -> datetime:
        """When the next row became known."""
        return _known(self.rows[0])

    async def more(self) -> None:
        """Fetches the next rows, where none are left."""
        while not self.rows and self._ask is not None:
            rows, cursor = await self._page(self._ask)
            self.rows.extend(map(shaped, rows))
            given = {**self._ask.given, "cursor": cursor}
            self._ask = None if cursor is None else self._ask._replace(given=given)

    async def _page(self, ask: Ask) -> tuple[list[Row], str | None]:
        """Of a curve the one snapshot, or none where it has none yet."""
        if not ask.path.startswith(_CURVES):
            return self._exchange.rows(await self._fetch(ask))
        try:
            return [await self._fetch(ask)], None
        except NotFound:
            return [], None


def _known(row: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(row["known_at"] if "known_at" in row else row["updated_at"])
