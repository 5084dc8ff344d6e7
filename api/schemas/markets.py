"""The shapes of markets and their products, for the OpenAPI document only."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MarketProduct(_Shape):
    """What is known of a product before any price of it."""

    product: Annotated[str, Field(examples=["rt_5min"])]
    instruments: Annotated[int, Field(description="how many of them you may see")]
    interval: Annotated[str | None, Field(description="native interval; null: single prices", examples=["5m"])]
    finest: Annotated[str, Field(description="the finest bar", examples=["5m"])]
    day_zone: Annotated[str, Field(description="whose day a `1d` bar is, but of instruments with a zone of their own")]
    cadence_seconds: Annotated[float | None, Field(description="expected time between publications")]
    due_seconds: Annotated[
        float | None,
        Field(
            description="when a price is expected, from its interval's start, of a day that comes at once from the "
            "day's; below 0: before it; null: nothing is expected"
        ),
    ]
    lateness_seconds: Annotated[float, Field(description="after its interval's end, from when on a price is late")]
    grace_seconds: Annotated[float, Field(description="after a bar's end, in which a new price is no revision of it")]
    forward: Annotated[bool, Field(description="prices lie in the future when they come")]
    reason: Annotated[str | None, Field(description="why no intervals are promised")]


class Market(_Shape):
    market: Annotated[str, Field(examples=["caiso"])]
    zone: Annotated[str, Field(examples=["America/Los_Angeles"])]
    unit: Annotated[str | None, Field(examples=["USD/MWh"])]
    currency: Annotated[str | None, Field(examples=["USD"])]
    instruments: int
    products: list[MarketProduct]


class Markets(_Shape):
    data: list[Market]
    next: Annotated[str | None, Field(description="the cursor of what follows; also in `Link`")]
    query: Annotated[dict[str, Any], Field(description="the parameters as understood", examples=[{"limit": 1000}])]
