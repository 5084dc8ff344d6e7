"""The part of the client that reads forward curves."""

from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, TypedDict, Unpack, cast
from urllib.parse import quote

from gridtick.client.asked import Ask, Call, Listing
from gridtick.client.given import Instant, Parameters, iso
from gridtick.client.methods import AsyncPart, Part, async_call, async_rows, call, rows

_CURVES: Final = "/v1/curves"
_OF_ONE: Final = "/v1/curves/{curve}/snapshots"
SNAPSHOTS: Final = 100  # of one answer
Day: TypeAlias = date | str
Granularity: TypeAlias = Literal["native", "day", "month", "quarter", "season", "year"]


class How(TypedDict, total=False):
    """How snapshots are shown, and whose they are."""

    granularity: Granularity
    block: str
    tenant: str | None


class Curve(TypedDict):
    curve: str
    kind: Literal["futures", "day_ahead"]
    tenant: str
    market: str
    product: str
    name: str | None
    unit: str | None
    zone: str
    block: str | None
    granularity: str | None
    session_zone: str | None
    session_end: str | None
    max_age: int | None


class CurvePoint(TypedDict):
    """`residual` and `reason` are there in what was rejected alone."""

    start: str
    end: str
    product: str
    price: Decimal
    kind: str
    flags: list[str]
    age: int
    inputs: list[str]


class Rejected(CurvePoint):
    residual: Decimal | None
    reason: str


class Snapshot(TypedDict):
    curve: str
    tenant: str
    session: str
    at: str
    known_at: str
    version: int
    partial: bool
    unit: str | None
    points: list[CurvePoint]
    rejected: list[Rejected]
    complete: bool | None


def _list(
    *,
    market: str | None = None,
    product: str | None = None,
    q: str | None = None,
    tenant: str | None = None,
    limit: int | None = None,
) -> Listing[Curve]:
    """Curves by market, product, or a part of their id or name; the day-ahead ones of a product that is named."""
    return Listing(_CURVES, {"market": market, "product": product, "q": q, "tenant": tenant}, limit)


def _latest(
    curve: str,
    *,
    at: Instant | None = None,
    as_of: Instant | None = None,
    **how: Unpack[How],
) -> Call[Snapshot]:
    """The newest snapshot; of those not after `at`; as it was known `as_of` an instant. `NotFound` without one."""
    given: Parameters = {"at": iso(at), "as_of": iso(as_of), **_shown(how)}
    return Call(Ask("GET", f"{_path(curve)}/latest", given, route=f"{_OF_ONE}/latest"), exact_snapshot)


def _over(
    curve: str,
    *,
    start: Day | None = None,
    end: Day | None = None,
    as_of: Instant | None = None,
    versions: bool = False,
    limit: int | None = None,
    **how: Unpack[How],
) -> Listing[Snapshot]:
    """The snapshots of the sessions [start, end), oldest first; with `versions` every version of each."""
    told = "true" if versions else None
    given: Parameters = {"start": iso(start), "end": iso(end), "as_of": iso(as_of), "versions": told, **_shown(how)}
    return Listing(_path(curve), given, limit, SNAPSHOTS, exact_snapshot, route=_OF_ONE)


class Curves(Part):
    """The reads of forward curves."""

    list = rows(_list)
    latest = call(_latest)
    over = rows(_over)


class AsyncCurves(AsyncPart):
    """The same, awaited."""

    list = async_rows(_list)
    latest = async_call(_latest)
    over = async_rows(_over)


def _path(curve: str) -> str:
    return _OF_ONE.format(curve=quote(curve, safe=""))


def _shown(how: How) -> dict[str, str | None]:
    return {"granularity": how.get("granularity"), "block": how.get("block"), "tenant": how.get("tenant")}


def exact_snapshot(snapshot: dict[str, Any]) -> Snapshot:
    """With every price as `Decimal`, whole ones too."""
    for row in [*snapshot.get("points", ()), *snapshot.get("rejected", ())]:
        for name in ("price", "residual"):
            if isinstance(row.get(name), int):
                row[name] = Decimal(row[name])
    return cast("Snapshot", snapshot)
