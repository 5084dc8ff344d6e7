"""The parameters of the routes, read strictly: unknown, repeated, contradictory or vague ones are refused."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from api.problems import invalid
from pipeline.schema import EARLIEST, LATEST

DEFAULT_LIMIT: Final = 1000
MAX_LIMIT: Final = 10_000
MAX_INSTRUMENTS: Final = 100
_REPEATABLE: Final = frozenset({"instrument"})


def instant(text: object) -> datetime:
    """An ISO 8601 instant with an offset, as UTC."""
    if not isinstance(text, str):
        raise ValueError("is no instant. Write 2026-07-01T00:00:00Z.")
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no instant. Write 2026-07-01T00:00:00Z (a + in an address is %2B).") from None
    if read.tzinfo is None:
        raise ValueError("has no offset. Write 2026-07-01T00:00:00Z or …-07:00.")
    return _within(read)


def _within(read: datetime) -> datetime:
    if not EARLIEST.year <= read.year < LATEST.year:
        raise ValueError(f"lies outside {EARLIEST:%Y} to {LATEST:%Y}.")
    return read.astimezone(UTC)


Instant = Annotated[datetime, BeforeValidator(instant), WithJsonSchema({"type": "string", "format": "date-time"})]
InstrumentId = Annotated[str, Field(min_length=1, max_length=256)]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description=f"most rows of one answer, at most {MAX_LIMIT}")]
CursorText = Annotated[str, Field(max_length=2048, description="`next` of the answer before")]
Tenant = Annotated[str, Field(max_length=64, description="only rows of this tenant; default: all that you may read")]
PriceType = Annotated[
    Literal["number", "decimal"], Field(description="`decimal` gives prices as text instead of JSON numbers")
]
Name = Annotated[str, Field(min_length=1, max_length=256)]


class Strict(BaseModel):
    """Parameters that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Strict):
    """A route without parameters."""


class Listed(Strict):
    """What every list takes."""

    tenant: Tenant | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class Priced(Listed):
    """What every list of prices takes."""

    price_type: PriceType = "number"


class RangeQuery(Priced):
    """Instruments over [start, end)."""

    instrument: Annotated[
        list[InstrumentId],
        Field(min_length=1, max_length=MAX_INSTRUMENTS, description="repeatable", examples=[["NG_HH_BALMO"]]),
    ]
    start: Annotated[Instant | None, Field(description="first instant; default: 24 hours ago, for `1d` 31 days")] = None
    end: Annotated[Instant | None, Field(description="first instant beyond; default: no end")] = None


class TicksQuery(RangeQuery):
    """Ticks whose `interval_start` lies in [start, end)."""


Interval = Literal["1m", "5m", "15m", "1h", "1d"]


class BarsQuery(RangeQuery):
    """Bars whose `start` lies in [start, end)."""

    interval: Annotated[Interval, Field(description="`1d` is the day of the instrument's own zone", examples=["1h"])]


class LatestQuery(Priced):
    """Either instruments, or a market with or without a product."""

    instrument: Annotated[
        list[InstrumentId], Field(max_length=1000, description="repeatable", examples=[["NG_HH_BALMO"]])
    ] = []
    market: Name | None = None
    product: Name | None = None
    mode: Annotated[
        Literal["newest", "in_force"] | None,
        Field(
            description="the price with the newest start, or the one whose interval holds now; default: of day-ahead "
            "products the one that holds now, where there is one, else the newest"
        ),
    ] = None


class InstrumentsQuery(Listed):
    """Instruments by exact market, product and location, or by a part of their name."""

    market: Name | None = None
    product: Name | None = None
    location: Name | None = None
    q: Annotated[Name | None, Field(description="part of the id or the location, in any case")] = None


def once(request: Request) -> None:
    """Refuses a parameter given twice that holds one value."""
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in seen and name not in _REPEATABLE:
            raise invalid(name, "is given more than once.")
        seen.add(name)


def check_order(start: datetime, end: datetime) -> None:
    """Refuses a range that holds nothing."""
    if start >= end:
        raise invalid("start", "must lie before end.")
