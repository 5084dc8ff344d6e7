"""The shapes of the answer that explains a bar, for the OpenAPI document only."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.prices import Bar, Decimal


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BarPrice(_Shape):
    """A price that counts in the bar."""

    order: Annotated[int, Field(description="its place in the bar, from 1 on")]
    publication: Annotated[int, Field(description="the `number` of its publication")]
    interval_start: datetime
    held_until: Annotated[
        datetime | None,
        Field(
            description="the next price's start, its own end or the bar's, whichever is first; null: it does not hold"
        ),
    ]
    seconds: Annotated[Decimal, Field(description="for which it holds: its weight in twap")]
    price: Decimal
    volume: Decimal


class BarPublication(_Shape):
    """A value for one of the bar's prices, from one row of one message."""

    number: Annotated[int, Field(description="its place in the order in which they became known, from 0 on")]
    counts: Annotated[bool, Field(description="it is one of the bar's prices")]
    why: Annotated[
        Literal["moved", "outranked", "repeated", "superseded", "advisory", "no_value"] | None,
        Field(
            description="why it does not count. `moved`: the price begins in another bar now; `outranked`: a higher "
            "`version` was known before; `repeated`: it changed nothing; `superseded`: a later one changed the price; "
            "`advisory`: it was known before it binds; `no_value`: a spread that had none"
        ),
    ]
    effective: Annotated[bool, Field(description="it changed the price, or is its first one")]
    revision: Annotated[
        Literal["changed", "late"] | None,
        Field(description="what it adds 1 to the bar's `revision` for: a change, or a new price after its end + grace"),
    ]
    known_at: datetime
    topic: Annotated[str | None, Field(description="null where nothing of the topic is in the ledger")]
    topic_id: str
    partition: int
    offset: int
    row: Annotated[int, Field(description="data row of the document, from 1 on; 0 of a single price")]
    published_for: Annotated[datetime, Field(description="the instant that the exchange publishes")]
    event_id: str
    interval_start: datetime
    interval_end: datetime | None
    hold_end: Annotated[datetime | None, Field(description="until when it may hold in twap")]
    price: Decimal
    energy: Decimal
    congestion: Decimal
    loss: Decimal
    ghg: Decimal
    volume: Decimal
    bid: Decimal
    ask: Decimal
    flags: list[str]
    version: int
    source: str
    parser_version: Annotated[int, Field(description="of the program that read the message")]


class BarFormula(_Shape):
    """Each number of the bar from the numbers of `prices`; `≈` where it was rounded, once, half to even."""

    open: Annotated[str, Field(examples=["price 1 = 20"])]
    high: Annotated[str, Field(examples=["price 2 = 100, the highest"])]
    low: Annotated[str, Field(examples=["price 1 = 20, the lowest"])]
    close: Annotated[str, Field(examples=["price 3 = 20"])]
    count: Annotated[str, Field(examples=["3, how many prices there are"])]
    revision: Annotated[
        str,
        Field(
            description="its parts are the publications that have a `revision`",
            examples=["1 (changes of a price) + 0 (prices first known after 2026-07-01T11:20:00Z) = 1"],
        ),
    ]
    volume: str | None
    vwap: Annotated[str | None, Field(description="Σ price × volume ÷ Σ volume")]
    twap: Annotated[
        str | None,
        Field(
            description="Σ price × seconds ÷ Σ seconds",
            examples=["(20 × 298 + 100 × 303 + 20 × 285) ÷ (298 + 303 + 285) = 41960 ÷ 886 ≈ 47.358916479"],
        ),
    ]


class BarExplained(_Shape):
    """The working behind a bar."""

    bar: Bar
    complete: Annotated[bool | None, Field(description="with `as_of`: no message can change it any more")]
    agrees: Annotated[
        bool | None,
        Field(
            description="what is worked out is the bar; false while a price that has just come is not in the bar yet: "
            "ask again; null where nothing is worked out"
        ),
    ]
    rule_version: Annotated[int, Field(description="of the rules under which the bar was made")]
    order: Annotated[str, Field(description="how the prices of a bar are ordered")]
    formula: BarFormula | None
    advice: Annotated[str | None, Field(description="what to ask for where the bar has too many publications")]
    publication_count: int
    prices: Annotated[list[BarPrice], Field(description="in the bar's order")]
    publications: Annotated[list[BarPublication], Field(description="in the order in which they became known")]
