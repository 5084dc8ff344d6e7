"""The part of the client that reads spreads: definitions, what a value is made of, and any basis."""

from decimal import Decimal
from typing import Any, Literal, TypedDict

from gridtick.client.asked import Ask, Call, Listing
from gridtick.client.given import Instant, iso
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
from gridtick.client.rows import exact


class Leg(TypedDict):
    instrument: str | None
    contract: str | None
    weight: str
    factor: str
    align: str
    factor_unit: str | None
    block: str | None


class Spread(TypedDict):
    spread: str
    instrument: str
    kind: str
    interval: Literal["1h", "1d"]
    unit: str
    zone: str
    formula: str
    legs: list[Leg]
    valid_from: str | None
    valid_to: str | None
    source: str
    tenant: str


class LegPrice(TypedDict):
    leg: int
    instrument: str
    interval_start: str
    price: Decimal
    energy: Decimal | None
    congestion: Decimal | None
    loss: Decimal | None
    flags: list[str]
    tenant: str
    version: int
    known_at: str
    topic_id: str
    partition: int
    offset: int
    row: int


class Missing(TypedDict):
    instrument: str
    interval_start: str


class Explained(Spread):
    """What a value is made of; `price` is None where there is none, and `missing` says what lacks."""

    interval_start: str
    written: str | None
    price: Decimal | None
    energy: Decimal | None
    congestion: Decimal | None
    loss: Decimal | None
    flags: list[str]
    known_at: str | None
    prices: list[LegPrice]
    missing: list[Missing]


class Basis(TypedDict):
    instrument: str
    hub: str
    interval_start: str
    interval_end: str
    price: Decimal
    energy: Decimal | None
    congestion: Decimal | None
    loss: Decimal | None
    instrument_price: Decimal
    hub_price: Decimal
    unit: str | None
    flags: list[str]
    known_at: str


def _list(
    *,
    kind: str | None = None,
    market: str | None = None,
    location: str | None = None,
    q: str | None = None,
    tenant: str | None = None,
    limit: int | None = None,
) -> Listing[Spread]:
    """Definitions by kind, by market and location of a leg, or by a part of their name or formula."""
    given = {"kind": kind, "market": market, "location": location, "q": q, "tenant": tenant}
    return Listing("/v1/spreads", given, limit)


def _explain(
    instrument: str, start: Instant, *, as_of: Instant | None = None, tenant: str | None = None
) -> Call[Explained]:
    """What the value of a spread that begins at `start` is made of."""
    given = {"instrument": instrument, "start": iso(start), "as_of": iso(as_of), "tenant": tenant}
    return Call(Ask("GET", "/v1/spreads/explain", given), _explained)


def _basis(
    instrument: str,
    hub: str,
    *,
    start: Instant | None = None,
    end: Instant | None = None,
    as_of: Instant | None = None,
    tenant: str | None = None,
    limit: int | None = None,
) -> Listing[Basis]:
    """An instrument less a hub over [start, end); an interval of which one has no price has no row."""
    given = {"instrument": instrument, "hub": hub, "start": iso(start), "end": iso(end)}
    return Listing("/v1/basis", given | {"as_of": iso(as_of), "tenant": tenant}, limit)


def _explained(found: dict[str, Any]) -> dict[str, Any]:
    shown = exact(found)
    shown["prices"] = [exact(each) for each in shown["prices"]]
    return shown


class Spreads(Part):
    """The reads of spreads; of their values as prices: `Client.ticks`, `Client.bars`, `Client.latest`."""

    list = rows(_list)
    explain = call(_explain)
    basis = table(_basis)


class AsyncSpreads(AsyncPart):
    """The same, awaited."""

    list = async_rows(_list)
    explain = async_call(_explain)
    basis = async_table(_basis)
