"""Forward curves: which there are, their snapshots, and the working behind one."""

from asyncio import to_thread
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import answers
from api.coverage import Instrument
from api.curves import lists as curve_lists
from api.curves import meant as curves
from api.curves import room as curve_room
from api.curves import snapshots as curve_snapshots
from api.curves import tables as curve_tables
from api.curves import texts as curve_texts
from api.curves.query import CurveQuery, CurvesQuery, ExplainCurveQuery, LatestSnapshotQuery, SnapshotsQuery
from api.curves.room import Asked
from api.curves.texts import How
from api.moment import defined, moment
from api.problems import invalid, not_found
from api.query import InstrumentId
from api.ranges import estimates
from api.routes.common import ONCE, CurveReader
from api.schemas import curves as schemas_curves
from api.schemas import prices as schemas
from api.security.history import begun, require_history
from api.state import state_of
from api.values import FIRST_DAY
from api.wire.caching import Cached
from db.visible import Visible
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["curves"], route_class=Cached)
_Id = Annotated[InstrumentId, Path(description="the id; of another letter than A-Z a-z 0-9 . _ - write it as %")]
_MONTH: Final = timedelta(days=31)
_AHEAD: Final = timedelta(days=2)


@router.get("/curves", response_model=None, responses={200: {"model": schemas_curves.Curves}, **schemas.READ})
async def list_curves(request: Request, caller: CurveReader, ask: Annotated[CurvesQuery, Query()]) -> Response:
    """Forward curves in order of their id: those of contracts; with a `product` whose prices lie ahead the day-ahead
    curves of its instruments. Any such instrument is a curve of 23 to 25 hours a day."""
    held = answers.position(request, caller, ask)
    visible = await answers.visible(request, caller, ask)
    found = await curve_lists.listed(state_of(request), visible, ask, held)
    return answers.listed(request, caller, ask, found.rows, answers.asked(ask), found.following)


@router.get(
    "/curves/{curve:path}/snapshots/latest",
    response_model=None,
    responses={200: {"model": schemas_curves.Snapshot}, **schemas.READ},
)
async def show_latest_snapshot(
    request: Request, caller: CurveReader, curve: _Id, ask: Annotated[LatestSnapshotQuery, Query()]
) -> Response:
    """The newest snapshot of a curve, as it is now or was known `as_of` an instant; 404 where there is none.

    `at` asks for the newest one of an earlier time, `granularity` for finer or coarser points.
    """
    state = state_of(request)
    visible = await answers.visible(request, caller, ask)
    which = await curves.meant(state, visible, curve)
    known = await moment(state.reads, ask.as_of)
    found = await curve_snapshots.latest(state.reads, which, ask.at, known and known.at)
    if found.heads.is_empty():
        raise not_found(f"curve: {curve!r} has no snapshot {'by then' if ask.at or known else 'yet'}.")
    require_history(visible, curves.tenants_of(which), found.heads["at"][0], clock.now())
    how = How(ask.granularity, ask.block, ask.price_type == "decimal", None if known is None else known.complete)
    parts = [curve_room.fitting(found, ask.granularity)]
    text = await to_thread(curve_texts.listed, which, parts, how)
    return answers.one(request, ask, text, partial(curve_tables.table, text))


@router.get(
    "/curves/{curve:path}/snapshots",
    response_model=None,
    responses={200: {"model": schemas_curves.Snapshots}, **schemas.READ},
)
async def list_snapshots(
    request: Request, caller: CurveReader, curve: _Id, ask: Annotated[SnapshotsQuery, Query()]
) -> Response:
    """The snapshots of the sessions [start, end), oldest first, as they are now or were known `as_of` an instant; with
    `versions` every version of each."""
    state = state_of(request)
    visible = await answers.visible(request, caller, ask)
    which = await curves.meant(state, visible, curve)
    known = await moment(state.reads, ask.as_of)
    first, beyond = _span(ask, visible, curves.tenants_of(which))
    query: dict[str, object] = answers.asked(ask) | {"curve": curve, "start": first, "end": beyond}
    if ask.dry_run:
        found = await curve_snapshots.counted(
            state.reads, which, first, beyond, clock.now() if known is None else known.at
        )
        left = state.accounts.rows_left(caller, clock.now())
        return estimates.told("snapshots", found, ask.limit, left, query)
    asked = Asked(first, beyond, known and known.at, ask.versions, ask.granularity, ask.limit)
    held: list[str] | None = answers.position(request, caller, ask)
    found = await curve_snapshots.over(state.reads, which, asked, held)
    how = How(ask.granularity, ask.block, answers.wants_text(ask), None if known is None else known.complete)
    text = await to_thread(curve_texts.listed, which, found.parts, how)
    about = answers.around(request, caller, ask, query, found.following, defined(known))
    return await curve_tables.answer(request, ask, text, about)


@router.get(
    "/curves/{curve:path}/explain",
    response_model=None,
    responses={200: {"model": schemas_curves.Explained}, **schemas.READ},
)
async def explain_snapshot(
    request: Request, caller: CurveReader, curve: _Id, ask: Annotated[ExplainCurveQuery, Query()]
) -> Response:
    """The working behind the snapshot of a session: the price that each contract showed, with the message that brought
    it (topic, partition, offset, row), its kind and age, the points that follow, and what was refused and why."""
    state = state_of(request)
    visible = await answers.visible(request, caller, ask)
    which = await curves.meant(state, visible, curve)
    require_history(visible, curves.tenants_of(which), _beginning(ask.session), clock.now())
    known = await moment(state.reads, ask.as_of)
    found = await curve_snapshots.explained(state.reads, which, ask.session, known and known.at)
    if found is None:
        raise not_found(f"curve: {curve!r} has no snapshot of {ask.session}.")
    text = await to_thread(curve_texts.explained, which, found, None if known is None else known.complete)
    return Response(text, media_type="application/json")


@router.get(
    "/curves/{curve:path}", response_model=None, responses={200: {"model": schemas_curves.Curve}, **schemas.READ}
)
async def show_curve(
    request: Request, caller: CurveReader, curve: _Id, ask: Annotated[CurveQuery, Query()]
) -> Response:
    """A curve: what it is made of, where its days begin, and when its sessions end."""
    which = await curves.meant(state_of(request), await answers.visible(request, caller, ask), curve)
    fields: dict[str, Any] = (
        curve_lists.hours(which.row) if isinstance(which, Instrument) else curve_lists.futures(which[0])
    )
    return Response(msgspec.json.encode(fields), media_type="application/json")


def _span(ask: SnapshotsQuery, visible: Visible, tenants: set[str]) -> tuple[date, date]:
    now = clock.now()
    beyond = ask.end or ((ask.as_of or now) + _AHEAD).date()
    first = ask.start or max(begun(_beginning(beyond) - _MONTH, visible, tenants, now).date(), FIRST_DAY)
    if first >= beyond:
        raise invalid("start", "must lie before end.") if ask.start else invalid("end", f"must lie after {first}.")
    require_history(visible, tenants, _beginning(first), now)
    return first, beyond


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
