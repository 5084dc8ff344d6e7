"""The rows as they come: decimals exact, instants as ISO 8601 text in UTC with `Z`, absent values None."""

from decimal import Decimal
from typing import Any, Final, Literal, NotRequired, TypedDict


class Tick(TypedDict):
    instrument: str
    market: str
    product: str
    location: str | None
    location_type: str | None
    interval_start: str
    interval_end: str | None
    interval_start_local: NotRequired[str]  # these two with `timezone`
    interval_end_local: NotRequired[str | None]
    price: Decimal | None  # of a spread that had no value: `NO_VALUE`
    energy: Decimal | None
    congestion: Decimal | None
    loss: Decimal | None
    ghg: Decimal | None
    volume: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    unit: str | None
    currency: str | None
    flags: list[str]
    version: int
    revision: int
    known_at: str
    tenant: str


class LatestPrice(Tick):
    mode: Literal["newest", "in_force"]
    age_seconds: Decimal
    cadence_seconds: Decimal | None
    status: str


class Bar(TypedDict):
    instrument: str
    interval: str
    start: str
    end: str
    start_local: NotRequired[str]  # these two with `timezone`
    end_local: NotRequired[str]
    open: Decimal | None  # all four are there, but in a bucket that `fill` has left empty
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal | None
    vwap: Decimal | None
    twap: Decimal | None
    covered_seconds: Decimal | None
    count: int
    flags: list[str]
    is_final: bool
    revision: int
    updated_at: str | None  # of an empty bucket
    tenant: str
    filled: NotRequired[Literal["none", "null", "hold"]]  # with `fill`


class Instrument(TypedDict):
    instrument: str
    market: str
    product: str
    location: str | None
    location_type: str | None
    name: str | None
    unit: str | None
    currency: str | None
    zone: str | None
    complete: bool
    commodity: str | None
    region: str | None
    tier: str | None
    hub: str | None
    load_zone: str | None
    contract_size: Decimal | None
    tick_size: Decimal | None
    confidence: Decimal
    reason: str
    first_seen: str
    tenant: str


class Me(TypedDict):
    key_id: str
    name: str
    tenant: str
    readable_tenants: list[str]
    role: str
    scopes: list[str]
    expires_at: str | None


DECIMALS: Final = frozenset({
    "price", "energy", "congestion", "loss", "ghg", "volume", "bid", "ask", "age_seconds", "cadence_seconds",
    "open", "high", "low", "close", "vwap", "twap", "covered_seconds",
    "instrument_price", "hub_price", "seconds",
})  # fmt: skip


def exact(row: dict[str, Any]) -> dict[str, Any]:
    """The row with every decimal as `Decimal`, whole ones too."""
    for name in DECIMALS & row.keys():
        if isinstance(row[name], int):
            row[name] = Decimal(row[name])
    return row
