"""The part of the client that reads spreads: definitions, what a value is made of, and any basis."""

from decimal import Decimal
from typing import Literal, TypedDict, cast

from gridtick.client.given import Instant, iso
from gridtick.client.http import Api
from gridtick.client.listed import Rows
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


class Spreads:
    """The reads of spreads; of their values as prices: `Client.ticks`, `Client.bars`, `Client.latest`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(
        self,
        *,
        kind: str | None = None,
        market: str | None = None,
        location: str | None = None,
        q: str | None = None,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[Spread]:
        """Definitions by kind, by market and location of a leg, or by a part of their name or formula."""
        given = {"kind": kind, "market": market, "location": location, "q": q, "tenant": tenant}
        return Rows[Spread](self._api.pages("/v1/spreads", given, limit))

    def explain(
        self, instrument: str, start: Instant, *, as_of: Instant | None = None, tenant: str | None = None
    ) -> Explained:
        """What the value of a spread that begins at `start` is made of."""
        given = {"instrument": instrument, "start": iso(start), "as_of": iso(as_of), "tenant": tenant}
        found = exact(self._api.get("/v1/spreads/explain", given))
        found["prices"] = [exact(each) for each in found["prices"]]
        return cast("Explained", found)

    def basis(
        self,
        instrument: str,
        hub: str,
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        as_of: Instant | None = None,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[Basis]:
        """An instrument less a hub over [start, end); an interval of which one has no price has no row."""
        given = {"instrument": instrument, "hub": hub, "start": iso(start), "end": iso(end)}
        more = {"as_of": iso(as_of), "tenant": tenant}
        return Rows[Basis](self._api.pages("/v1/basis", given | more, limit))
