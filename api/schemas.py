"""The shapes of answers, for the OpenAPI document only: answers are rendered from frames."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.query import DEFAULT_LIMIT

Decimal = Annotated[
    float,
    WithJsonSchema(
        {"type": ["number", "string", "null"], "description": "exact, all digits; text on price_type=decimal"}
    ),
]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Tick(_Shape):
    """A price for a delivery interval [interval_start, interval_end), or for one instant."""

    instrument: Annotated[str, Field(examples=["caiso.rt_5min.TH_NP15_GEN-APND"])]
    market: Annotated[str, Field(examples=["caiso"])]
    product: Annotated[str, Field(examples=["rt_5min"])]
    location: str | None
    location_type: str | None
    interval_start: datetime
    interval_end: datetime | None
    price: Annotated[Decimal, Field(examples=[31.20549])]
    energy: Decimal
    congestion: Decimal
    loss: Decimal
    ghg: Decimal
    volume: Decimal
    bid: Decimal
    ask: Decimal
    unit: Annotated[str | None, Field(examples=["USD/MWh"])]
    currency: Annotated[str | None, Field(examples=["USD"])]
    flags: Annotated[list[str], Field(examples=[["VALID"]])]
    version: Annotated[int, Field(description="the exchange's own version or grade, 0 where there is none")]
    revision: Annotated[int, Field(description="how many earlier publications changed this price")]
    known_at: datetime
    tenant: Annotated[str, Field(examples=["public"])]


class Latest(Tick):
    """A tick with how fresh it is."""

    mode: Annotated[
        Literal["newest", "in_force"], Field(description="the price with the newest start, or the one that holds now")
    ]
    age_seconds: Annotated[float, Field(description="since interval_start; below 0 for a price that lies ahead")]
    cadence_seconds: Annotated[float | None, Field(description="expected time between publications")]
    status: Annotated[
        Literal["live", "late", "stale"],
        Field(
            description="`late` one interval after the next price was due, `stale` three intervals after. Also "
            "`stale`, for it says nothing about now: a price further ahead than its product publishes (day-ahead: "
            "without a bound; real-time: since when it binds; a stream: what it may be late, of `tick` a minute)"
        ),
    ]


class Bar(_Shape):
    """Prices whose start lies in [start, end)."""

    instrument: str
    interval: Annotated[str, Field(examples=["1h"])]
    start: datetime
    end: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    vwap: Decimal
    twap: Decimal
    covered_seconds: Decimal
    count: int
    flags: list[str]
    is_final: bool | None
    revision: int
    updated_at: datetime
    tenant: str


class Instrument(_Shape):
    """What is known of an instrument; `complete` where unit, currency and zone are."""

    instrument: str
    market: str
    product: str
    location: str | None
    location_type: str | None
    name: Annotated[str | None, Field(description="the location's newest name, where it has one beside its id")]
    unit: str | None
    currency: str | None
    zone: str | None
    complete: bool
    commodity: Annotated[str | None, Field(examples=["power"])]
    region: Annotated[str | None, Field(examples=["US-CA"])]
    tier: Annotated[str | None, Field(description="product tier", examples=["real_time"])]
    hub: Annotated[str | None, Field(description="the location of its hub, in the same market")]
    load_zone: str | None
    contract_size: Decimal
    tick_size: Decimal
    confidence: Annotated[float, Field(description="in commodity, region and tier, 0 to 1; below 0.8 it is unsure")]
    reason: Annotated[str, Field(description="how the confidence comes about")]
    first_seen: datetime
    tenant: str


class _List(_Shape):
    next: Annotated[str | None, Field(description="the cursor of what follows; also in `Link`")]
    query: Annotated[
        dict[str, Any], Field(description="the parameters as understood", examples=[{"limit": DEFAULT_LIMIT}])
    ]


class _AsOf(_List):
    complete: Annotated[
        bool,
        Field(
            description="only with `as_of`: everything that was known then has landed, so that this answer can never "
            "change; else it is provisional"
        ),
    ] = True


class Ticks(_AsOf):
    data: list[Tick]


class LatestPrices(_AsOf):
    data: list[Latest]


class Bars(_AsOf):
    data: list[Bar]


class Instruments(_List):
    data: list[Instrument]


class Me(_Shape):
    """The caller."""

    key_id: str
    name: str
    tenant: str
    readable_tenants: list[str]
    role: str
    scopes: list[str]
    expires_at: datetime | None


class ProblemError(_Shape):
    parameter: str
    detail: str
    value: str | None = None


class ProblemDocument(_Shape):
    """RFC 9457."""

    type: Annotated[str, Field(examples=["urn:gridtick:problem:invalid-parameter"])]
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[ProblemError]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: the problems that it may answer."""
    return {
        status: {"description": _MEANING[status], "content": {"application/problem+json": {"schema": _REF}}}
        for status in statuses
    }


_REF: Final = {"$ref": "#/components/schemas/ProblemDocument"}
_MEANING: Final = {
    401: "No good API key",
    403: "The key lacks the scope, which is named",
    404: "Not there, or not for this caller",
    422: "A parameter is unknown, repeated, contradictory or cannot be read",
    503: "A store is away; `Retry-After` says when to come again",
}
READ: Final = problems(401, 403, 404, 422, 503)
