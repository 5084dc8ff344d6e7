"""What can be read: one function a route, which says what is asked. Both clients make their methods of these."""

from typing import Literal

from gridtick.client.asked import Ask, Call, Listing, plain
from gridtick.client.explain import BarExplained, explained
from gridtick.client.given import Instant, Names, iso, names_of
from gridtick.client.markets import Market, Status, status_of
from gridtick.client.rows import Bar, Instrument, LatestPrice, Me, Tick


def latest(  # noqa: PLR0913  the parameters of the route, by name
    instrument: Names = (),
    *,
    market: str | None = None,
    product: str | None = None,
    mode: Literal["newest", "in_force"] | None = None,
    as_of: Instant | None = None,
    timezone: str | None = None,
    tenant: str | None = None,
    limit: int | None = None,
) -> Listing[LatestPrice]:
    """The latest price of each instrument, or of a market's (and product's) instruments.

    Without a mode: of day-ahead products the price that holds now, where there is one, else the newest. `as_of`:
    as it was known at an instant. `timezone` (`market`, or a zone's name): local times too.
    """
    given = {"instrument": names_of(instrument), "market": market, "product": product, "mode": mode}
    more = {"as_of": iso(as_of), "timezone": timezone, "tenant": tenant}
    return Listing("/v1/prices/latest", given | more, limit)


def ticks(  # noqa: PLR0913  the parameters of the route, by name
    instrument: Names,
    *,
    start: Instant | None = None,
    end: Instant | None = None,
    as_of: Instant | None = None,
    revisions: bool = False,
    timezone: str | None = None,
    tenant: str | None = None,
    limit: int | None = None,
) -> Listing[Tick]:
    """Ticks over [start, end); instants need an offset. Without a start: the 24 hours before `end`, `as_of` or now.

    `as_of`: what was known at an instant. `revisions`: every publication that changed a price. `timezone`
    (`market`, or a zone's name): local times too.
    """
    given = {"instrument": names_of(instrument), "start": iso(start), "end": iso(end)}
    more = {"as_of": iso(as_of), "revisions": "true" if revisions else None, "timezone": timezone}
    return Listing("/v1/ticks", {**given, **more, "tenant": tenant}, limit, is_long=True)


def bars(  # noqa: PLR0913  the parameters of the route, by name
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
) -> Listing[Bar]:
    """Bars `1m 5m 15m 1h 1d` over [start, end); without a start 24 hours before `end`, 31 days for `1d`.

    `as_of`: as they were at an instant, of what was known then. `block` (`1h`, `1d`): of these hours, e.g. `peak`.
    `timezone` (`market`, or a zone's name): local times too, and whose days `1d` bars are. `fill`: a row for every
    bucket that has begun; of an empty one without a price (`null`), or with the one that holds then (`hold`).
    """
    given = {"instrument": names_of(instrument), "start": iso(start), "end": iso(end)}
    more = {"interval": interval, "block": block, "timezone": timezone, "fill": fill}
    more |= {"as_of": iso(as_of), "tenant": tenant}
    return Listing("/v1/bars", given | more, limit, is_long=True)


def instruments(  # noqa: PLR0913 - one a filter
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
) -> Listing[Instrument]:
    """Instruments by market, product, location, by what they are, or by a part of their name."""
    named = {"market": market, "product": product, "location": location, "q": q, "tenant": tenant}
    return Listing("/v1/instruments", {**named, "commodity": commodity, "region": region, "tier": tier}, limit)


def explain(
    instrument: str, interval: str, start: Instant, *, as_of: Instant | None = None, tenant: str | None = None
) -> Call[BarExplained]:
    """The working behind the bar that begins at `start`. `NotFound` without one."""
    given = {"instrument": instrument, "interval": interval, "start": iso(start)}
    return Call(Ask("GET", "/v1/bars/explain", given | {"as_of": iso(as_of), "tenant": tenant}), explained)


def markets(*, tenant: str | None = None, limit: int | None = None) -> Listing[Market]:
    """Markets with their products, and how many instruments of each there are."""
    return Listing("/v1/markets", {"tenant": tenant}, limit)


def status() -> Call[Status]:
    """The newest interval of every public product, and how far intake is."""
    return Call(Ask("GET", "/v1/status"), status_of)


def me() -> Call[Me]:
    """Whose key this is, and what it may do."""
    return Call(Ask("GET", "/v1/me"), plain)
