"""The part of the client that reads forward curves."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, TypedDict, Unpack, cast
from urllib.parse import quote

from gridtick.client.given import Instant, Parameters, iso
from gridtick.client.http import Api
from gridtick.client.listed import Rows

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


class Curves:
    """The reads of forward curves."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(
        self,
        *,
        market: str | None = None,
        product: str | None = None,
        q: str | None = None,
        tenant: str | None = None,
        limit: int | None = None,
    ) -> Rows[Curve]:
        """Curves by market, product, or a part of their id or name; the day-ahead ones of a product that is named."""
        given = {"market": market, "product": product, "q": q, "tenant": tenant}
        return Rows[Curve](self._api.pages("/v1/curves", given, limit))

    def latest(
        self,
        curve: str,
        *,
        at: Instant | None = None,
        as_of: Instant | None = None,
        **how: Unpack[How],
    ) -> Snapshot:
        """The newest snapshot; of those not after `at`; as it was known `as_of` an instant. `NotFound` without one."""
        given: Parameters = {"at": iso(at), "as_of": iso(as_of), **_shown(how)}
        return _exact(self._api.get(f"/v1/curves/{quote(curve, safe='')}/snapshots/latest", given))

    def over(
        self,
        curve: str,
        *,
        start: Day | None = None,
        end: Day | None = None,
        as_of: Instant | None = None,
        versions: bool = False,
        limit: int | None = None,
        **how: Unpack[How],
    ) -> Iterator[Snapshot]:
        """The snapshots of the sessions [start, end), oldest first; with `versions` every version of each."""
        told = "true" if versions else None
        given: Parameters = {"start": iso(start), "end": iso(end), "as_of": iso(as_of), "versions": told, **_shown(how)}
        for page in self._api.pages(f"/v1/curves/{quote(curve, safe='')}/snapshots", given, limit, SNAPSHOTS):
            yield from map(_exact, page.rows)


def _shown(how: How) -> dict[str, str | None]:
    return {"granularity": how.get("granularity"), "block": how.get("block"), "tenant": how.get("tenant")}


def _exact(snapshot: dict[str, Any]) -> Snapshot:
    """With every price as `Decimal`, whole ones too."""
    for row in [*snapshot.get("points", ()), *snapshot.get("rejected", ())]:
        for name in ("price", "residual"):
            if isinstance(row.get(name), int):
                row[name] = Decimal(row[name])
    return cast("Snapshot", snapshot)
