"""The shapes of the public status, for the OpenAPI document only."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Intake(_Shape):
    """How far what is published has landed."""

    landed_until: Annotated[
        datetime | None,
        Field(description="everything that was published before this instant can be queried; null: nothing is sure"),
    ]
    behind_seconds: Annotated[
        float | None, Field(description="since then; up to 10 where nothing waits, for it is looked at in turn")
    ]


class DeadLetterCounts(_Shape):
    """Messages that could not be read."""

    total: int
    last_hour: int


class PriceCounts(_Shape):
    """How many products are so."""

    live: int
    late: int
    stale: int


class ProductStatus(_Shape):
    """The newest interval of a market and product."""

    market: Annotated[str, Field(examples=["caiso"])]
    product: Annotated[str, Field(examples=["rt_5min"])]
    instrument: Annotated[str, Field(description="one that has a price of it")]
    interval_start: datetime
    interval_end: datetime | None
    known_at: Annotated[datetime, Field(description="when its price, as it is now, was appended to the raw topic")]
    queryable_at: Annotated[
        datetime | None, Field(description="when all that its message brought was stored; null: not noted yet")
    ]
    age_seconds: Annotated[float, Field(description="since interval_start; below 0 for a price that lies ahead")]
    status: Annotated[Literal["live", "late", "stale"], Field(description="as that of a latest price")]
    since: Annotated[datetime, Field(description="since when the status is so")]
    next_expected_at: Annotated[datetime | None, Field(description="when the next one is due; null: nothing says so")]


class Status(_Shape):
    """The state of intake and the newest public prices, at most 2 seconds old while the stores answer."""

    age_seconds: Annotated[float, Field(description="of this answer")]
    stale: Annotated[bool, Field(description="a store does not answer: this is what was so `age_seconds` ago")]
    generated_at: datetime
    state: Annotated[
        Literal["ok", "behind", "stopped"],
        Field(description="of intake: `behind` by a minute or more; `stopped`: a part of it reads nothing more"),
    ]
    reasons: Annotated[list[str], Field(description="why it is not ok, as sentences")]
    intake: Intake
    queues: Annotated[
        dict[str, int],
        Field(description="tasks that wait, by stage; empty where that cannot be told", examples=[{"normalize": 0}]),
    ]
    dead_letters: DeadLetterCounts
    prices: PriceCounts
    products: list[ProductStatus]
