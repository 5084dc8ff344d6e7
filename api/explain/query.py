"""The parameters of the route that explains a bar."""

from typing import Annotated

from pydantic import Field

from api.query import AsOf, InstrumentId, InstrumentQuery, Interval, PriceType
from api.values import Instant


class ExplainBarQuery(InstrumentQuery):
    """One bar."""

    instrument: Annotated[InstrumentId, Field(examples=["ercot.rt_sced.HB_NORTH"])]
    interval: Annotated[Interval, Field(description="`1d` is the day of the instrument's own zone", examples=["1h"])]
    start: Annotated[Instant, Field(description="where the bar begins")]
    as_of: AsOf = None
    price_type: PriceType = "number"
