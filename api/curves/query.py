"""The parameters of the routes of curves."""

from typing import Annotated, Final, Literal

from pydantic import Field

from api.query import AsOf, DryRun, Formatted, InFormats, InstrumentQuery, Name, Priced, PriceType
from api.values import DAYS, Day, Flag, Instant, MarketName, ProductName

MOST_SNAPSHOTS: Final = 100  # of one answer, versions included
MOST_POINTS: Final = 100_000  # of one answer, some 25 MB
Granularity = Literal["native", "day", "month", "quarter", "season", "year"]

Granular = Annotated[
    Granularity,
    Field(
        description="`native`: as it trades; `day`: the smooth curve; coarser ones: means over whole periods of it. A "
        "day-ahead curve has its hours and their `day`"
    ),
]
BlockName = Annotated[
    str, Field(pattern=r"^[a-z0-9]{2,16}$", description="hours of a day-ahead curve: peak, offpeak, 5x16…; atc: all")
]


class CurvesQuery(Formatted):
    """Curves by market, product, or a part of their id or name."""

    market: MarketName | None = None
    product: Annotated[
        ProductName | None, Field(description="a product whose prices lie ahead, such as da_hourly, lists its curves")
    ] = None
    q: Annotated[Name | None, Field(description="part of the id or the name, in any case")] = None


class CurveQuery(InstrumentQuery):
    """One curve: that of your own tenant where both it and the public one have it."""


class Made(InstrumentQuery):
    """How a snapshot is shown."""

    as_of: AsOf = None
    granularity: Granular = "native"
    block: BlockName = "atc"
    price_type: PriceType = "number"


class LatestSnapshotQuery(Made, InFormats):
    """The newest snapshot of a curve."""

    at: Annotated[
        Instant | None, Field(description="the newest one whose own `at` is not after this instant; default: of all")
    ] = None


class SnapshotsQuery(Priced):
    """The snapshots of the sessions [start, end)."""

    start: Annotated[Day | None, Field(description=f"first session, {DAYS}; default: 31 days before `end`")] = None
    end: Annotated[Day | None, Field(description=f"first session beyond, {DAYS}; default: the day after tomorrow")] = (
        None
    )
    as_of: AsOf = None
    dry_run: DryRun = False
    versions: Annotated[
        Flag, Field(description=f"every version of each, not the newest alone; at most {MOST_SNAPSHOTS} of a session")
    ] = False
    granularity: Granular = "native"
    block: BlockName = "atc"
    limit: Annotated[
        int,
        Field(
            ge=1,
            le=MOST_SNAPSHOTS,
            description=f"most sessions of one answer, at most {MOST_SNAPSHOTS}. It ends sooner, with a `next`, before "
            f"the session with which it would hold more than {MOST_SNAPSHOTS} snapshots or {MOST_POINTS} points (of "
            "another granularity than native: days that its points are made of)",
        ),
    ] = MOST_SNAPSHOTS


class ExplainCurveQuery(InstrumentQuery):
    """The working behind the snapshot of a session."""

    session: Annotated[Day, Field(description=f"the trading day, of a day-ahead curve the delivery day; {DAYS}")]
    as_of: AsOf = None
