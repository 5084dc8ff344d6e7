"""The parameters of the routes of spreads."""

from typing import Annotated, Literal

from pydantic import Field

from api.query import AsOf, DryRun, Formatted, InstrumentId, InstrumentQuery, Name, Priced, PriceType
from api.ranges.local_time import TimeZone
from api.values import Instant, MarketName

KindName = Literal["dart", "basis", "hub", "spark", "heat_rate", "gas_basis", "calendar", "peak"]


class SpreadsQuery(Formatted):
    """Definitions of spreads by kind, by market and location of a leg, or by a part of their text."""

    kind: KindName | None = None
    market: Annotated[MarketName | None, Field(description="of a leg")] = None
    location: Annotated[Name | None, Field(description="of a leg, e.g. 51288")] = None
    q: Annotated[Name | None, Field(description="part of the name or the formula, in any case")] = None


class ExplainSpreadQuery(InstrumentQuery):
    """One value of a spread."""

    instrument: Annotated[InstrumentId, Field(examples=["spread.dart.pjm_western_hub"])]
    start: Annotated[Instant, Field(description="the start of the value's interval")]
    as_of: AsOf = None
    price_type: PriceType = "number"


class BasisQuery(Priced):
    """Two instruments over [start, end)."""

    instrument: Annotated[InstrumentId, Field(examples=["pjm.da_hourly.51217"])]
    hub: Annotated[InstrumentId, Field(description="what is taken off", examples=["pjm.da_hourly.51288"])]
    start: Annotated[
        Instant | None, Field(description="first instant; default: 24 hours before `end`, else before `as_of` or now")
    ] = None
    end: Annotated[Instant | None, Field(description="first instant beyond; default: no end")] = None
    as_of: AsOf = None
    dry_run: DryRun = False
    timezone: TimeZone | None = None
