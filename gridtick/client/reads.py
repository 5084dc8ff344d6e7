"""The client: one method a route, pages fetched as they are iterated."""

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias, cast

import httpx

from gridtick.client.admin import Keys, Tenants
from gridtick.client.audit import Audit
from gridtick.client.curves import Curves
from gridtick.client.explain import BarExplained, explained
from gridtick.client.given import DEFAULT_URL, Instant, address, is_key, iso, sendable
from gridtick.client.http import Api
from gridtick.client.letters import DeadLetters
from gridtick.client.listed import Rows
from gridtick.client.markets import Market, Status, status
from gridtick.client.rows import Bar, Instrument, LatestPrice, Me, Tick
from gridtick.client.spreads import Spreads

_SECONDS: Final = 30.0

Names: TypeAlias = str | Sequence[str]


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
        self._api = Api(self._http, self.url)
        self.curves = Curves(self._api)
        self.spreads = Spreads(self._api)
        self.audit = Audit(self._api)
        self.keys = Keys(self._api)
        self.tenants = Tenants(self._api)
        self.dead_letters = DeadLetters(self._api)

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

    def latest(  # noqa: PLR0913  the parameters of the route, by name
        self,
        instrument: Names = (),
        *,
        market: str | None = None,
        product: str | None = None,
        mode: Literal["newest", "in_force"] | None = None,
        as_of: Instant | None = None,
        timezone: str | None = None,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[LatestPrice]:
        """The latest price of each instrument, or of a market's (and product's) instruments.

        Without a mode: of day-ahead products the price that holds now, where there is one, else the newest. `as_of`:
        as it was known at an instant. `timezone` (`market`, or a zone's name): local times too.
        """
        given = {"instrument": _names(instrument), "market": market, "product": product, "mode": mode}
        more = {"as_of": iso(as_of), "timezone": timezone, "tenant": tenant}
        return Rows[LatestPrice](self._api.pages("/v1/prices/latest", given | more, limit))

    def ticks(  # noqa: PLR0913  the parameters of the route, by name
        self,
        instrument: Names,
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        as_of: Instant | None = None,
        revisions: bool = False,
        timezone: str | None = None,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[Tick]:
        """Ticks over [start, end); instants need an offset. Without a start: the 24 hours before `end`, `as_of` or now.

        `as_of`: what was known at an instant. `revisions`: every publication that changed a price. `timezone`
        (`market`, or a zone's name): local times too.
        """
        given = {"instrument": _names(instrument), "start": iso(start), "end": iso(end)}
        more = {"as_of": iso(as_of), "revisions": "true" if revisions else None, "timezone": timezone}
        return Rows[Tick](self._api.pages("/v1/ticks", {**given, **more, "tenant": tenant}, limit))

    def bars(  # noqa: PLR0913  the parameters of the route, by name
        self,
        instrument: Names,
        *,
        interval: str,
        start: Instant | None = None,
        end: Instant | None = None,
        as_of: Instant | None = None,
        block: str | None = None,
        timezone: str | None = None,
        fill: Literal["null", "hold"] | None = None,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[Bar]:
        """Bars `1m 5m 15m 1h 1d` over [start, end); without a start 24 hours before `end`, 31 days for `1d`.

        `as_of`: as they were at an instant, of what was known then. `block` (`1h`, `1d`): of these hours, e.g. `peak`.
        `timezone` (`market`, or a zone's name): local times too, and whose days `1d` bars are. `fill`: a row for every
        bucket that has begun; of an empty one without a price (`null`), or with the one that holds then (`hold`).
        """
        given = {"instrument": _names(instrument), "start": iso(start), "end": iso(end)}
        more = {"interval": interval, "block": block, "timezone": timezone, "fill": fill}
        more |= {"as_of": iso(as_of), "tenant": tenant}
        return Rows[Bar](self._api.pages("/v1/bars", given | more, limit))

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
        return Rows[Instrument](self._api.pages("/v1/instruments", given, limit))

    def explain(
        self, instrument: str, interval: str, start: Instant, *, as_of: Instant | None = None, tenant: str | None = None
    ) -> BarExplained:
        """The working behind the bar that begins at `start`. `NotFound` without one."""
        given = {"instrument": instrument, "interval": interval, "start": iso(start)}
        return explained(self._api, given | {"as_of": iso(as_of), "tenant": tenant})

    def markets(self, *, tenant: str | None = None, limit: int | None = None) -> Rows[Market]:
        """Markets with their products, and how many instruments of each there are."""
        return Rows[Market](self._api.pages("/v1/markets", {"tenant": tenant}, limit))

    def status(self) -> Status:
        """The newest interval of every public product, and how far intake is."""
        return status(self._api)

    def me(self) -> Me:
        """Whose key this is, and what it may do."""
        return cast("Me", self._api.get("/v1/me", {}))


def _names(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
