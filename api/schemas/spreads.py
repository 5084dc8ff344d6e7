"""The shapes of the answers about spreads, for the OpenAPI document only."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.query import DEFAULT_LIMIT
from api.schemas.prices import Decimal, Local


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Listed(_Shape):
    next: Annotated[str | None, Field(description="the cursor of what follows; also in `Link`")]
    query: Annotated[
        dict[str, Any], Field(description="the parameters as understood", examples=[{"limit": DEFAULT_LIMIT}])
    ]


class SpreadLeg(_Shape):
    """Prices of an instrument, or of a futures contract at the nearby position that it has on each day."""

    instrument: str | None
    contract: str | None
    weight: Annotated[str, Field(examples=["-1"])]
    factor: Annotated[str, Field(description="converts the unit", examples=["7"])]
    align: Annotated[
        Literal["interval", "mean", "block", "flow_day", "gas_day"],
        Field(
            description="`interval`: the price of the same interval; `mean`: of the finer ones of the hour; `block`: "
            "of those of a block of the day; `flow_day`, `gas_day`: the gas that flows on the day of the hour"
        ),
    ]
    factor_unit: Annotated[str | None, Field(examples=["MMBtu/MWh"])]
    block: str | None


class Spread(_Shape):
    """A definition; it holds for local days in [valid_from, valid_to)."""

    spread: Annotated[str, Field(examples=["dart.pjm_western_hub"])]
    instrument: Annotated[
        str, Field(description="whose prices its values are", examples=["spread.dart.pjm_western_hub"])
    ]
    kind: str
    interval: Literal["1h", "1d"]
    unit: str
    zone: Annotated[str, Field(description="whose days its `1d` bars are")]
    formula: str
    legs: list[SpreadLeg]
    valid_from: date | None
    valid_to: date | None
    source: str
    tenant: str


class Spreads(_Listed):
    data: list[Spread]


class LegPrice(_Shape):
    """The publication that stands of one price, and the message that brought it."""

    leg: Annotated[int, Field(description="its place among `legs`")]
    instrument: str
    interval_start: datetime
    price: Decimal
    energy: Decimal
    congestion: Decimal
    loss: Decimal
    flags: list[str]
    tenant: str
    version: int
    known_at: datetime
    topic_id: str
    partition: int
    offset: int
    row: int


class MissingPrice(_Shape):
    """A price that is not there."""

    instrument: str
    interval_start: datetime


class SpreadExplained(Spread):
    """What a value is made of; `price` is null where there is none."""

    interval_start: datetime
    written: Annotated[
        str | None, Field(description="the formula with its numbers", examples=["90.94 − 7 × 6.85 = 42.99"])
    ]
    price: Decimal
    energy: Decimal
    congestion: Decimal
    loss: Decimal
    flags: list[str]
    known_at: datetime | None
    prices: list[LegPrice]
    missing: list[MissingPrice]


class Basis(_Shape):
    """One interval of which both have a price."""

    instrument: str
    hub: str
    interval_start: datetime
    interval_end: datetime
    interval_start_local: Local = None
    interval_end_local: Local = None
    price: Annotated[Decimal, Field(description="instrument_price − hub_price", examples=[-37.320241])]
    energy: Decimal
    congestion: Annotated[Decimal, Field(description="null across markets, and where one publishes none")]
    loss: Decimal
    instrument_price: Decimal
    hub_price: Decimal
    unit: str | None
    flags: Annotated[list[str], Field(description="of either price")]
    known_at: Annotated[datetime, Field(description="when the later of the two became known")]


class Bases(_Listed):
    data: list[Basis]
    complete: Annotated[
        bool, Field(description="only with `as_of`: everything that was known then has landed; else it is provisional")
    ] = True
