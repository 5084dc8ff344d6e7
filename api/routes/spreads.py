"""Spreads: which are defined, what a value is made of, and the difference of any two instruments."""

from datetime import timedelta
from itertools import islice
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import answers, spreads
from api.basis import basis, require_alike
from api.moment import described, moment
from api.problems import invalid
from api.ranges import estimates
from api.ranges.estimates import Counted
from api.ranges.local_time import TICK_INSTANTS, local_to
from api.ranges.meant import between
from api.reads.ports import Window
from api.routes.common import ONCE, CurveReader
from api.schemas import prices as schemas
from api.schemas import spreads as schemas_spreads
from api.security.history import require_history
from api.spread_query import BasisQuery, ExplainSpreadQuery, SpreadsQuery
from api.state import state_of
from api.wire.caching import Cached
from db.clickhouse.counts import Counting
from db.visible import Visible
from pipeline.schema import PUBLIC
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["spreads"], route_class=Cached)
_DAY: Final = timedelta(days=1)


@router.get("/spreads", response_model=None, responses={200: {"model": schemas_spreads.Spreads}, **schemas.READ})
async def list_spreads(request: Request, caller: CurveReader, ask: Annotated[SpreadsQuery, Query()]) -> Response:
    """Definitions of spreads in order of their name. Values are prices of their `instrument`: ticks, bars, latest."""
    visible = await answers.visible(request, caller, ask)
    every = await spreads.defined(state_of(request).reads, visible)
    wanted = (each for each in every if spreads.matches(each, ask))
    some = list(islice(spreads.after(list(wanted), answers.position(request, caller, ask)), ask.limit + 1))
    going_on = spreads.position_of(some[ask.limit - 1]) if len(some) > ask.limit else None
    shown = [spreads.shown(each) for each in some[: ask.limit]]
    return answers.listed_objects(request, caller, ask, shown, spreads.table, going_on)


@router.get(
    "/spreads/explain",
    response_model=None,
    responses={200: {"model": schemas_spreads.SpreadExplained}, **schemas.READ},
)
async def explain_spread(
    request: Request, caller: CurveReader, ask: Annotated[ExplainSpreadQuery, Query()]
) -> Response:
    """What a value was made of: the price that stands of each leg with the message that brought it (topic, partition,
    offset, row), the formula with their numbers, and what is missing where there is no value."""
    _require_one(request)
    reads = state_of(request).reads
    visible = await answers.visible(request, caller, ask)
    known = await moment(reads, ask.as_of)
    definition = await spreads.found(reads, visible, ask.instrument, ask.start)
    require_history(visible, {definition.tenant, PUBLIC}, ask.start, clock.now())
    what = await spreads.explain(reads, definition, ask.start, known and known.at)
    text = spreads.explanation(definition, ask.start, what, as_text=ask.price_type == "decimal")
    return Response(text, media_type="application/json")


@router.get("/basis", response_model=None, responses={200: {"model": schemas_spreads.Bases}, **schemas.READ})
async def list_basis(request: Request, caller: CurveReader, ask: Annotated[BasisQuery, Query()]) -> Response:
    """An instrument less a hub, interval by interval, with congestion and loss apart (within one market the energies
    cancel). An interval of which one has no usable price has no row, so a page may hold fewer than `limit`."""
    _require_one(request)
    reads = state_of(request).reads
    held = answers.position(request, caller, ask)
    known = await moment(reads, ask.as_of)
    visible = await answers.visible(request, caller, ask)
    node, hub = await _both(request, visible, ask)
    require_alike(node, hub)
    start, end = between(ask, held, _DAY, visible, {node["tenant"], hub["tenant"]})
    query = answers.asked(ask) | {"start": start}
    if ask.dry_run:
        there = Counting([(node["tenant"], node["instrument"])], start, end)
        found = Counted(await reads.count_prices(there, known and known.at), exact=False)
        left = state_of(request).accounts.rows_left(caller, clock.now())
        return estimates.told("basis", found, ask.limit, left, query)
    page = await basis(reads, node, hub, Window(start, end, held and held["after"], ask.limit), known and known.at)
    going_on = None if page.following is None else {"start": clock.to_us(start), "after": page.following}
    rows = local_to(page.rows, node, ask.timezone, TICK_INSTANTS)
    known = described(known, ((each["complete"], each["market"]) for each in (node, hub)))
    return answers.listed(request, caller, ask, rows, query, going_on, known)


async def _both(request: Request, visible: Visible, ask: BasisQuery) -> list[dict[str, Any]]:
    """The reference of both: the caller's own instrument of a name, else the public one; 404 where there is none."""
    names = [ask.instrument, ask.hub]
    reference = await state_of(request).references.named(visible, names)
    answers.require_all(names, reference)
    return [visible.first(reference.filter(instrument=name)) for name in names]


def _require_one(request: Request) -> None:
    """Other routes take many."""
    if len(request.query_params.getlist("instrument")) > 1:
        raise invalid("instrument", "is given more than once.")
