"""The working behind one bar."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import answers
from api.coverage import Instrument
from api.explain import bars as explain
from api.explain.bucket import bucket
from api.explain.query import ExplainBarQuery
from api.moment import moment
from api.problems import invalid
from api.routes.common import ONCE, BarReader
from api.schemas import explain as schemas_explain
from api.schemas import prices as schemas
from api.security.history import require_history, sources
from api.security.principal import Principal
from api.state import state_of
from api.wire.caching import Cached
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["bars"], route_class=Cached)


@router.get(
    "/bars/explain",
    response_model=None,
    responses={200: {"model": schemas_explain.BarExplained}, **schemas.READ},
)
async def explain_bar(request: Request, caller: BarReader, ask: Annotated[ExplainBarQuery, Query()]) -> Response:
    """The working behind one bar: every publication of its prices in the order in which they became known, with the
    message that brought it, whether it counts and why not; the prices in the bar's order with the seconds that each
    holds; and each of its numbers worked out from them. With `as_of` the bar as it was known at an instant.

    A bar with more than 10,000 publications lists the first ones, works nothing out, and says which finer interval to
    ask for.
    """
    reads = state_of(request).reads
    known = await moment(reads, ask.as_of)
    one = await _found(request, caller, ask)
    asked = bucket(one, ask.interval, ask.start)
    found = await explain.explain(reads, one, asked, known)
    answers.count_rows(request, found.publications.height)
    text = explain.text(one, found, known, as_text=ask.price_type == "decimal")
    return Response(text, media_type="application/json")


async def _found(request: Request, caller: Principal, ask: ExplainBarQuery) -> Instrument:
    """The caller's own instrument of that name, else the public one; 404 where there is none."""
    if len(request.query_params.getlist("instrument")) > 1:  # other routes take many
        raise invalid("instrument", "is given more than once.")
    visible = await answers.visible(request, caller, ask)
    reference = await state_of(request).references.named(visible, [ask.instrument])
    answers.require_all([ask.instrument], reference)
    one = Instrument(visible.first(reference))
    require_history(visible, sources([(one.tenant, one.row["market"])]), ask.start, clock.now())
    return one
