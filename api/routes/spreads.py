"""Spreads: which are defined, what a value is made of, and the difference of any two instruments."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import answers, schemas, schemas_spreads, spreads
from api.basis import basis, require_alike
from api.moment import moment
from api.ports import Window
from api.problems import invalid
from api.query import check_order
from api.routes.common import ONCE, CurveReader
from api.security.principal import Principal
from api.spread_query import BasisQuery, ExplainSpreadQuery, SpreadsQuery
from api.state import state_of
from pipeline.schema import LATEST
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["spreads"])
_DAY: Final = timedelta(days=1)


@router.get("/spreads", response_model=None, responses={200: {"model": schemas_spreads.Spreads}, **schemas.READ})
async def list_spreads(request: Request, caller: CurveReader, ask: Annotated[SpreadsQuery, Query()]) -> Response:
    """Definitions of spreads in order of their name. Values are prices of their `instrument`: ticks, bars, latest."""
    tenants = answers.tenants_of(caller, ask)
    every = await spreads.defined(state_of(request).reads, tenants)
    wanted = (each for each in every if spreads.matches(each, ask))
    some = list(islice(spreads.after(list(wanted), answers.position(request, caller, ask)), ask.limit + 1))
    going_on = spreads.position_of(some[ask.limit - 1]) if len(some) > ask.limit else None
    rows = b",".join(msgspec.json.encode(spreads.shown(each)) for each in some[: ask.limit])
    return answers.around(request, caller, ask, answers.asked(ask), going_on).response(rows)


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
    tenants = answers.tenants_of(caller, ask)
    known = await moment(reads, ask.as_of)
    definition = await spreads.found(reads, tenants, ask.instrument, ask.start)
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
    node, hub = await _both(request, caller, ask)
    require_alike(node, hub)
    start, end = _span(ask, held)
    page = await basis(reads, node, hub, Window(start, end, held and held["after"], ask.limit), known and known.at)
    going_on = None if page.following is None else {"start": clock.to_us(start), "after": page.following}
    query = answers.asked(ask) | {"start": start}
    return answers.listed(request, caller, ask, page.rows, query, going_on, known)


async def _both(request: Request, caller: Principal, ask: BasisQuery) -> list[dict[str, Any]]:
    """The reference of both: the caller's own instrument of a name, else the public one; 404 where there is none."""
    tenants = answers.tenants_of(caller, ask)
    names = [ask.instrument, ask.hub]
    reference = await state_of(request).references.named(tenants, names)
    answers.require_all(names, reference)
    rows = reference.to_dicts()
    of = ([row for row in rows if row["instrument"] == name] for name in names)
    return [min(some, key=lambda row: tenants.index(row["tenant"])) for some in of]


def _span(ask: BasisQuery, held: dict[str, int] | None) -> tuple[datetime, datetime]:
    last = ask.end or ask.as_of or clock.now().replace(microsecond=0)
    start = ask.start or (clock.from_us(held["start"]) if held else last - _DAY)
    end = ask.end or LATEST
    check_order(start, end)
    return start, end


def _require_one(request: Request) -> None:
    """Other routes take many."""
    if len(request.query_params.getlist("instrument")) > 1:
        raise invalid("instrument", "is given more than once.")
