"""The shapes of the answers about curves, for the OpenAPI document only."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.prices import Decimal

Flags = list[Literal["STALE", "IMPLAUSIBLE", "NEGATIVE"]]
Kind = Literal["settle", "trade", "quote", "last", "averaged", "interpolated"]
Product = Literal["hour", "day", "block", "month", "quarter", "season", "year", "period"]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Curve(_Shape):
    """A forward curve."""

    curve: Annotated[str, Field(examples=["henry_hub.futures"])]
    kind: Annotated[
        Literal["futures", "day_ahead"],
        Field(description="of contracts, or the hours of the day-ahead instrument of that id"),
    ]
    tenant: str
    market: str
    product: str
    name: str | None
    unit: str | None
    zone: Annotated[str, Field(description="whose midnights begin and end a delivery")]
    block: Annotated[str | None, Field(description="hours that are delivered; atc: all")]
    granularity: str | None
    session_zone: Annotated[str | None, Field(description="null: a session is a delivery day")]
    session_end: str | None
    max_age: Annotated[int | None, Field(description="sessions for which a contract's newest price is still shown")]


class Point(_Shape):
    """The price of a delivery [start, end)."""

    start: datetime
    end: datetime
    product: Product
    price: Decimal
    kind: Kind
    flags: Flags
    age: Annotated[int, Field(description="sessions between the newest price of it and this one; more than 0 is STALE")]
    inputs: Annotated[list[str], Field(description="the contracts that fixed the price")]


class Refused(_Shape):
    """An input that is in no point, and why."""

    start: datetime | None
    end: datetime | None
    product: Product | None
    price: Decimal
    kind: Kind
    flags: Flags
    age: int
    inputs: list[str]
    residual: Annotated[Decimal, Field(description="its price less the mean of what was kept over its delivery")]
    reason: str


class Snapshot(_Shape):
    """A curve as of a session."""

    curve: str
    tenant: str
    session: Annotated[date, Field(description="trading day; of a day-ahead curve the delivery day")]
    at: Annotated[datetime, Field(description="end of the session, or its newest price where that was before")]
    known_at: Annotated[datetime, Field(description="when its newest change became known")]
    version: Annotated[int, Field(description="how many changes there were before")]
    partial: Annotated[bool, Field(description="the front contract or a delivery between others is missing")]
    unit: str | None
    points: list[Point]
    rejected: list[Refused]
    complete: Annotated[bool | None, Field(description="with `as_of`: no message can change it any more")]


class Input(_Shape):
    """What a contract showed, and the message that brought it."""

    contract: str | None
    instrument: str
    price: Decimal
    kind: Kind
    age: int
    instant: datetime
    known_at: datetime
    topic_id: str
    partition: int
    offset: int
    row: int


class Explained(_Shape):
    """The working behind a snapshot."""

    snapshot: Snapshot
    inputs: list[Input]


class _Listed(_Shape):
    next: str | None
    query: dict[str, Any]


class Curves(_Listed):
    """A page of curves."""

    data: list[Curve]


class Snapshots(_Listed):
    """A page of snapshots."""

    data: list[Snapshot]
    complete: Annotated[bool | None, Field(description="with `as_of`: no message can change them any more")] = None
