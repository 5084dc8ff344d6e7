"""What became known in a while: what fills a gap of the live stream."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import answers
from api.live import changes
from api.live.changes import ChangesQuery
from api.problems import Problem, invalid
from api.routes.common import ONCE, StreamReader
from api.schemas import prices as schemas
from api.schemas.frames import Changes
from api.security.history import require_history, sources
from api.security.principal import Principal
from api.security.scopes import BARS, PRICES
from api.state import state_of
from api.wire.caching import Cached
from db.clickhouse.known_changes import Known
from db.visible import Visible
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["stream"], route_class=Cached)


@router.get("/changes", response_model=None, responses={200: {"model": Changes}, **schemas.READ})
async def list_changes(request: Request, caller: StreamReader, ask: Annotated[ChangesQuery, Query()]) -> Response:
    """What became known in [since, until), in that order: of `ticks` every publication that changed a price, of `bars`
    those that a price has changed, each once, as they are now. It fills a gap of the live stream, whose rows these are.
    """
    _require(caller, ask)
    state, now = state_of(request), clock.now()
    visible = await answers.visible(request, caller, ask)
    reference = await _instruments(request, visible, ask)
    require_history(visible, sources(reference.select("tenant", "market").iter_rows()), ask.since, now)
    past = await state.reads.known_until()
    of = changes.whose(visible, reference, named=bool(ask.instrument), now=now)
    span = Known(ask.since, ask.until or now, ask.limit)
    found = await changes.page(state.reads, ask, of, span, answers.position(request, caller, ask))
    rows = changes.shown(ask, found.rows, reference, past)
    return answers.listed(request, caller, ask, rows, answers.asked(ask), found.following)


def _require(caller: Principal, ask: ChangesQuery) -> None:
    needed = BARS if ask.channel == "bars" else PRICES
    if needed not in caller.scopes:
        raise Problem(403, "scope-missing", f"This key lacks the scope {needed}.")
    if bool(ask.instrument) == (ask.market is not None):
        raise invalid("instrument", "give either instruments or a market.")
    if ask.product is not None and ask.market is None:
        raise invalid("product", "needs a market.")
    if ask.interval is not None and ask.channel != "bars":
        raise invalid("interval", "is of bars alone.")
    if ask.until is not None and ask.until <= ask.since:
        raise invalid("until", "must lie after since.")


async def _instruments(request: Request, visible: Visible, ask: ChangesQuery) -> Any:
    """The rows of the reference that are meant; 404 for a name that is not there."""
    if ask.instrument:
        reference = await state_of(request).references.named(visible, ask.instrument)
        answers.require_all(ask.instrument, reference)
        return reference
    return await changes.of_market(state_of(request).reads, visible, ask)
