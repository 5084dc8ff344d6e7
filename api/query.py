"""The parameters of the routes, read strictly: unknown, repeated, contradictory or vague ones are refused."""

from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import unquote_to_bytes

from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.formats.media import FormatName
from api.problems import invalid
from api.ranges.local_time import TimeZone
from api.values import DAYS, Day, Flag, Instant, Limit, LongLimit, MarketName, ProductName, Text, tenant_of_rows

DEFAULT_LIMIT: Final = 1000
MAX_INSTRUMENTS: Final = 100
_REPEATABLE: Final = frozenset({"instrument"})

InstrumentId = Annotated[Text, Field(min_length=1, max_length=256)]
CursorText = Annotated[str, Field(max_length=2048, description="`next` of the answer before")]
TenantName = Annotated[
    Text, AfterValidator(tenant_of_rows), Field(max_length=64, json_schema_extra={"pattern": r"^[^\u0000,]*$"})
]
Tenant = Annotated[TenantName, Field(description="only rows of this tenant; default: all that you may read")]
PriceType = Annotated[
    Literal["number", "decimal"], Field(description="`decimal` gives prices as text instead of JSON numbers")
]
Name = Annotated[Text, Field(min_length=1, max_length=256)]


class Strict(BaseModel):
    """Parameters that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Strict):
    """A route without parameters."""


class Paged(Strict):
    """What every list takes."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class Listed(Paged):
    """What every list takes whose rows are tenants'."""

    tenant: Tenant | None = None


class InFormats(Strict):
    """What is answered in several formats."""

    format: Annotated[FormatName | None, Field(description="wins over `Accept`; without either JSON")] = None


class Formatted(Listed, InFormats):
    """What every list takes that has several formats."""


class Priced(Formatted):
    """What every list of prices takes."""

    price_type: PriceType = "number"


DryRun = Annotated[
    Flag, Field(description="reads no price, and says how many rows, bytes and pages the answer would have")
]
AsOf = Annotated[
    Instant | None,
    Field(
        description="only what was known at this instant, which may not lie ahead; the answer says whether it is "
        "`complete`. Names, units and zones are those of today"
    ),
]


class RangeQuery(Priced):
    """Instruments over [start, end)."""

    instrument: Annotated[
        list[InstrumentId],
        Field(min_length=1, max_length=MAX_INSTRUMENTS, description="repeatable", examples=[["NG_HH_BALMO"]]),
    ]
    start: Annotated[
        Instant | None,
        Field(description="first instant; default: 24 hours before `end`, else before `as_of` or now; `1d`: 31 days"),
    ] = None
    end: Annotated[
        Instant | None, Field(description="first instant beyond; default: no end. 2100-01-01T00:00:00Z is the last one")
    ] = None
    as_of: AsOf = None
    timezone: TimeZone | None = None
    limit: LongLimit = DEFAULT_LIMIT
    dry_run: DryRun = False


class TicksQuery(RangeQuery):
    """Ticks whose `interval_start` lies in [start, end)."""

    revisions: Annotated[
        Flag,
        Field(
            description="every publication that changed a price, in the order they were known, not the last one alone"
        ),
    ] = False


BlockName = Literal["atc", "peak", "offpeak", "5x16", "6x16", "2x16", "7x8", "tariff"]
Interval = Literal["1m", "5m", "15m", "1h", "1d"]


class BarsQuery(RangeQuery):
    """Bars whose `start` lies in [start, end)."""

    interval: Annotated[
        Interval,
        Field(description="`1d` is the day of the instrument's own zone, or of `timezone`", examples=["1h"]),
    ]
    block: Annotated[
        BlockName | None,
        Field(
            description="only hours of this block: of `1h` the bars that lie in it, of `1d` bars of its hours alone, "
            "in days of the block's zone or of `timezone`. `peak` is as traded in the market, `tariff` MISO's own; "
            "`atc` is all hours"
        ),
    ] = None
    fill: Annotated[
        Literal["none", "null", "hold"],
        Field(
            description="`null`: a row also for every empty bucket that has begun. `hold`: there it repeats the price "
            "that holds when the bucket begins, inside that price's own interval; so bars may be finer than the "
            "product's. `filled` of a row tells which it is"
        ),
    ] = "none"


class LatestQuery(Priced):
    """Either instruments, or a market with or without a product."""

    instrument: Annotated[
        list[InstrumentId], Field(max_length=1000, description="repeatable", examples=[["NG_HH_BALMO"]])
    ] = []
    market: MarketName | None = None
    product: ProductName | None = None
    mode: Annotated[
        Literal["newest", "in_force"] | None,
        Field(
            description="the price with the newest start, or the one whose interval holds now; default: of day-ahead "
            "products the one that holds now, where there is one, else the newest"
        ),
    ] = None
    as_of: AsOf = None
    dry_run: DryRun = False
    timezone: TimeZone | None = None


class InstrumentQuery(Strict):
    """One instrument: that of your own tenant where both it and the public one have it."""

    tenant: Tenant | None = None


class CoverageQuery(InstrumentQuery, InFormats):
    """One instrument over [start, end), at most 93 days."""

    start: Annotated[
        Instant | None, Field(description="first instant; default: the beginning of the 7 local days that `end` ends")
    ] = None
    end: Annotated[
        Instant | None,
        Field(
            description="first instant beyond; default: the end of today in the instrument's zone, of tomorrow where "
            "day-ahead prices are expected by now"
        ),
    ] = None


_Day = Annotated[Day | None, Field(description=f"what they were on this day, {DAYS}; default: today (UTC)")]


class InstrumentDayQuery(InstrumentQuery):
    """One instrument as of a day."""

    day: _Day = None


class InstrumentsQuery(Formatted):
    """Instruments by exact market, product and location, by what they are, or by a part of their name."""

    market: MarketName | None = None
    product: ProductName | None = None
    location: Name | None = None
    commodity: Annotated[Name | None, Field(examples=["power"])] = None
    region: Annotated[Name | None, Field(examples=["US-TX"])] = None
    tier: Annotated[Name | None, Field(examples=["day_ahead"])] = None
    q: Annotated[Name | None, Field(description="part of the id, the location or a name, in any case")] = None
    day: _Day = None


def once(request: Request) -> None:
    """Refuses a parameter given twice that holds one value, and an address that would not be read as it was meant."""
    _require_text(request.scope["query_string"])
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in seen and name not in _REPEATABLE:
            raise invalid(name, "is given more than once.")
        seen.add(name)


def _require_text(sent: bytes) -> None:
    try:
        unquote_to_bytes(sent.decode("ascii")).decode()
    except UnicodeDecodeError:
        raise invalid("query", "holds bytes that are no UTF-8. Write other letters as %, e.g. %C3%A4.") from None


def check_order(start: datetime, end: datetime) -> None:
    """Refuses a range that holds nothing."""
    if start >= end:
        raise invalid("start", "must lie before end.")
