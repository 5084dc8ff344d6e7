"""The working behind a bar, as the client gives it."""

from decimal import Decimal
from typing import Any, Literal, TypedDict

from gridtick.client.rows import Bar, exact


class BarPrice(TypedDict):
    """A price that counts in a bar; `publication` is the `number` of the one that brought it."""

    order: int
    publication: int
    interval_start: str
    held_until: str | None
    seconds: Decimal | None
    price: Decimal
    volume: Decimal | None


class BarPublication(TypedDict):
    number: int
    counts: bool
    why: Literal["moved", "outranked", "repeated", "superseded", "advisory", "no_value"] | None
    effective: bool
    revision: Literal["changed", "late"] | None
    known_at: str
    topic: str | None
    topic_id: str
    partition: int
    offset: int
    row: int
    published_for: str
    event_id: str
    interval_start: str
    interval_end: str | None
    hold_end: str | None
    price: Decimal | None
    energy: Decimal | None
    congestion: Decimal | None
    loss: Decimal | None
    ghg: Decimal | None
    volume: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    flags: list[str]
    version: int
    source: str
    parser_version: int


class BarFormula(TypedDict):
    open: str
    high: str
    low: str
    close: str
    count: str
    revision: str
    volume: str | None
    vwap: str | None
    twap: str | None


class BarExplained(TypedDict):
    """`formula` is None, and `advice` says what to ask for, where the bar has too many publications."""

    bar: Bar
    complete: bool | None
    agrees: bool | None
    rule_version: int
    order: str
    formula: BarFormula | None
    advice: str | None
    publication_count: int
    prices: list[BarPrice]
    publications: list[BarPublication]


def explained(found: dict[str, Any]) -> dict[str, Any]:
    """With every decimal as `Decimal`, whole ones too."""
    found["bar"] = exact(found["bar"])
    for name in ("prices", "publications"):
        found[name] = [exact(each) for each in found[name]]
    return found
