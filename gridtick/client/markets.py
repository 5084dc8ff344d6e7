"""Markets and their products, and how fresh they are, as the client gives them."""

from decimal import Decimal
from typing import Any, Literal, TypedDict

from gridtick.client.rows import exact


class MarketProduct(TypedDict):
    product: str
    instruments: int
    interval: str | None
    finest: str
    day_zone: str
    cadence_seconds: Decimal | None
    due_seconds: Decimal | None
    lateness_seconds: Decimal
    grace_seconds: Decimal
    forward: bool
    reason: str | None


class Market(TypedDict):
    market: str
    zone: str
    unit: str | None
    currency: str | None
    instruments: int
    products: list[MarketProduct]


class Intake(TypedDict):
    landed_until: str | None
    behind_seconds: Decimal | None


class PriceCounts(TypedDict):
    live: int
    late: int
    stale: int


class DeadLetterCounts(TypedDict):
    total: int
    last_hour: int


class ProductStatus(TypedDict):
    market: str
    product: str
    instrument: str
    interval_start: str
    interval_end: str | None
    known_at: str
    queryable_at: str | None
    age_seconds: Decimal
    status: Literal["live", "late", "stale"]
    since: str
    next_expected_at: str | None


class Status(TypedDict):
    """`stale`: a store does not answer, and this is what was so `age_seconds` ago."""

    age_seconds: Decimal
    stale: bool
    generated_at: str
    state: Literal["ok", "behind", "stopped"]
    reasons: list[str]
    intake: Intake
    queues: dict[str, int]
    dead_letters: DeadLetterCounts
    prices: PriceCounts
    products: list[ProductStatus]


def status_of(found: dict[str, Any]) -> dict[str, Any]:
    """With every decimal as `Decimal`, whole ones too."""
    shown = exact(found)
    shown["products"] = [exact(each) for each in shown["products"]]
    return shown
