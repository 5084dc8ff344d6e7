"""The client: one method a route, pages fetched as they are iterated."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeAlias, cast

import httpx

from gridtick.client.curves import Curves
from gridtick.client.errors import OF_STATUS, ApiError, GridtickError, Unreachable
from gridtick.client.given import DEFAULT_URL, address, is_key, sendable
from gridtick.client.given import iso as _instant
from gridtick.client.listed import Page, Rows
from gridtick.client.rows import Bar, Instrument, LatestPrice, Me, Tick
from gridtick.client.spreads import Spreads

PAGE: Final = 1000
_SECONDS: Final = 30.0

Instant: TypeAlias = datetime | str
Names: TypeAlias = str | Sequence[str]
Parameters: TypeAlias = Mapping[str, str | int | Sequence[str] | None]


class Client:
    """Reads of one API with one key: the arguments, else `GRIDTICK_URL` and `GRIDTICK_API_KEY`.

    Raises `Unreachable` where nothing answers, an `ApiError` of the right type for a refusal, and `GridtickError`,
    which both are, for all else: a wrong address or key, what cannot be asked, an answer that is none of ours. Lists
    are iterators that fetch page after page; `limit` bounds all rows together.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout: float = _SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = address(url or os.environ.get("GRIDTICK_URL") or DEFAULT_URL)
        self._key = sendable(key or os.environ.get("GRIDTICK_API_KEY") or "")
        headers = {"Authorization": f"Bearer {self._key}", "User-Agent": "gridtick-client"}
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout, transport=transport)
        self.curves = Curves(self._get, self._pages)
        self.spreads = Spreads(self._get, self._pages)

    def __repr__(self) -> str:
        return f"Client({self.url!r}, key='{self._key[:20]}…')" if is_key(self._key) else f"Client({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def latest(
        self,
        instrument: Names = (),
        *,
        market: str | None = None,
        product: str | None = None,
        mode: Literal["newest", "in_force"] | None = None,
        as_of: Instant | None = None,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[LatestPrice]:
        """The latest price of each instrument, or of a market's (and product's) instruments.

        Without a mode: of day-ahead products the price that holds now, where there is one, else the newest. `as_of`:
        as it was known at an instant.
        """
        given = {"instrument": _names(instrument), "market": market, "product": product, "mode": mode}
        more = {"as_of": _instant(as_of), "tenant": tenant}
        return Rows[LatestPrice](self._pages("/v1/prices/latest", given | more, limit))

    def ticks(
        self,
        instrument: Names,
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        as_of: Instant | None = None,
        revisions: bool = False,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[Tick]:
        """Ticks over [start, end); instants need an offset. Without a start: the 24 hours before `end`, `as_of` or now.

        `as_of`: what was known at an instant. `revisions`: every publication that changed a price.
        """
        given = {"instrument": _names(instrument), "start": _instant(start), "end": _instant(end)}
        more = {"as_of": _instant(as_of), "revisions": "true" if revisions else None, "tenant": tenant}
        return Rows[Tick](self._pages("/v1/ticks", given | more, limit))

    def bars(  # noqa: PLR0913  the parameters of the route, by name
        self,
        instrument: Names,
        *,
        interval: str,
        start: Instant | None = None,
        end: Instant | None = None,
        as_of: Instant | None = None,
        block: str | None = None,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[Bar]:
        """Bars `1m 5m 15m 1h 1d` over [start, end); without a start 24 hours before `end`, 31 days for `1d`.

        `as_of`: as they were at an instant, of what was known then. `block` (`1h`, `1d`): of these hours, e.g. `peak`.
        """
        given = {"instrument": _names(instrument), "start": _instant(start), "end": _instant(end)}
        more = {"interval": interval, "block": block, "as_of": _instant(as_of), "tenant": tenant}
        return Rows[Bar](self._pages("/v1/bars", given | more, limit))

    def instruments(  # noqa: PLR0913 - one a filter
        self,
        *,
        market: str | None = None,
        product: str | None = None,
        location: str | None = None,
        commodity: str | None = None,
        region: str | None = None,
        tier: str | None = None,
        q: str | None = None,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[Instrument]:
        """Instruments by market, product, location, by what they are, or by a part of their name."""
        named = {"market": market, "product": product, "location": location, "q": q, "tenant": tenant}
        given = {**named, "commodity": commodity, "region": region, "tier": tier}
        return Rows[Instrument](self._pages("/v1/instruments", given, limit))

    def me(self) -> Me:
        """Whose key this is, and what it may do."""
        return cast("Me", self._get("/v1/me", {}))

    def _pages(self, path: str, given: Parameters, limit: int | None) -> Iterator[Page]:
        left, cursor = limit, None
        while left is None or left > 0:
            size = PAGE if left is None else min(left, PAGE)
            page = self._get(path, {**given, "limit": size, "cursor": cursor})
            rows, cursor = self._page(page)
            yield Page(rows, page.get("complete"))
            left = None if left is None else left - len(rows)
            if cursor is None:
                return

    def _page(self, page: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
        rows, following = page.get("data"), page.get("next")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in cast("list[object]", rows)):
            raise self._strange()
        if following is not None and not isinstance(following, str):
            raise self._strange()
        return cast("list[dict[str, Any]]", rows), following

    def _get(self, path: str, given: Parameters) -> dict[str, Any]:
        answer = self._answer(path, {name: value for name, value in given.items() if value is not None})
        if answer.status_code != 200:
            raise _refusal(answer)
        try:
            body = json.loads(answer.content, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise self._strange() from error
        if not isinstance(body, dict):
            raise self._strange()
        return cast("dict[str, Any]", body)

    def _answer(self, path: str, parameters: Mapping[str, Any]) -> httpx.Response:
        if self._http.is_closed:
            raise GridtickError("This client is closed: make a new one.")
        try:
            return self._http.get(path, params=parameters)
        except httpx.HTTPError as error:
            raise Unreachable(f"{self.url} does not answer ({type(error).__name__}). Is Gridtick running?") from error
        except (httpx.InvalidURL, ValueError) as error:  # too long for an address, or no text at all
            raise GridtickError(f"The parameters of {path} cannot be sent: {error}. Ask for less.") from error

    def _strange(self) -> GridtickError:
        return GridtickError(f"{self.url} answers, but not as Gridtick does. Is it the address of Gridtick's API?")


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        said = None
    problem = cast("dict[str, Any]", said) if isinstance(said, dict) else {"title": answer.reason_phrase}
    wait = answer.headers.get("retry-after", "")
    kind = OF_STATUS.get(answer.status_code, ApiError)
    return kind(answer.status_code, problem, float(wait) if wait.isdecimal() else None)


def _names(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
