"""The shapes of answers, for the OpenAPI document only: answers are rendered from frames."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.problems import KINDS, MEDIA_TYPE
from api.query import DEFAULT_LIMIT

Decimal = Annotated[
    float,
    WithJsonSchema(
        {"type": ["number", "string", "null"], "description": "exact, all digits; text on price_type=decimal"}
    ),
]


Local = Annotated[
    str | None,
    Field(
        description="only with `timezone`: the same in local time, with its offset",
        examples=["2026-07-01T11:00:00-07:00"],
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
    interval_start_local: Local = None
    interval_end_local: Local = None
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
    start_local: Local = None
    end_local: Local = None
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
    updated_at: Annotated[datetime | None, Field(description="null of a bucket that `fill` has left empty")]
    tenant: str
    filled: Annotated[
        Literal["none", "null", "hold"],
        Field(
            description="only with `fill`: `none` where a price begins in the bucket; else it is empty (`null`), or "
            "repeats the price that holds when it begins (`hold`)"
        ),
    ] = "none"


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
            description="only with `as_of`: everything that was known then has landed, so that no message can ever "
            "change this answer; else it is provisional"
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


class ProblemError(_Shape):
    parameter: str
    detail: str
    value: str | None = None


class ProblemDocument(_Shape):
    """RFC 9457."""

    type: Annotated[str, Field(examples=["/docs/errors/invalid-parameter"])]
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[ProblemError]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: the problems that it may answer."""
    return {
        status: {"description": meaning(status), "content": {MEDIA_TYPE: {"schema": PROBLEM}}} for status in statuses
    }


def meaning(status: int) -> str:
    """What the kinds of that status are, and what to do."""
    return " ".join(f"{about.title}: {about.remedy}" for about in KINDS.values() if about.status == status)


PROBLEM: Final = {"$ref": "#/components/schemas/ProblemDocument"}
READ: Final = problems(401, 403, 404, 422, 429, 503)
