"""The shapes of the answers about one instrument, for the OpenAPI document only."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.prices import Instrument

Count = Annotated[int | None, Field(description="null where no intervals are promised, see `reason`")]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Name(_Shape):
    """A name that an exchange has given a location, beside its id."""

    name: str
    since: Annotated[datetime, Field(description="the earliest interval that was seen under it")]


class InstrumentDetail(Instrument):
    """An instrument and its product."""

    names: list[Name]

    interval: Annotated[str | None, Field(description="native interval; null for single prices", examples=["5m"])]
    finest: Annotated[str, Field(description="the finest bar", examples=["5m"])]
    cadence_seconds: Annotated[float | None, Field(description="expected time between publications")]
    last_seen: Annotated[datetime | None, Field(description="when its newest change became known")]


class Gap(_Shape):
    """A time [start, end) without a price."""

    start: datetime
    end: datetime
    missing: Count


class CoverageDay(_Shape):
    """The part of a local day that lies in the range."""

    day: date
    expected: Count
    present: int
    missing: Count
    complete: Annotated[
        bool | None,
        Field(description="nothing is missing, and nothing is to come; null: more is to come, or nothing is promised"),
    ]


class Freshness(_Shape):
    """The newest price, and when the next one is expected."""

    interval_start: datetime
    interval_end: datetime | None
    known_at: datetime
    age_seconds: Annotated[float, Field(description="since interval_start; below 0 for a price that lies ahead")]
    status: Annotated[Literal["live", "late", "stale"], Field(description="as that of a latest price")]
    next_expected_at: Annotated[datetime | None, Field(description="when the next one is due; null: nothing says so")]


class Coverage(_Shape):
    """What is there of an instrument over [start, end)."""

    instrument: str
    market: str
    product: str
    tenant: str
    zone: Annotated[str, Field(description="whose days `days` are")]
    interval: Annotated[str | None, Field(description="native interval")]
    cadence_seconds: float | None
    start: datetime
    end: datetime
    first: Annotated[datetime | None, Field(description="start of the first price of all")]
    last: Annotated[datetime | None, Field(description="start of the last price of all")]
    expected: Count
    present: Annotated[int, Field(description="expected intervals with a price; else how many prices")]
    missing: Count
    reason: Annotated[str | None, Field(description="why no intervals are promised")]
    gap_count: Annotated[int | None, Field(description="null where nothing tells of gaps")]
    gaps: Annotated[list[Gap] | None, Field(description="the first 1000 of them; a shorter range shows the others")]
    days: list[CoverageDay]
    freshness: Annotated[Freshness | None, Field(description="null where it has no price")]
