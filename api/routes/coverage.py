"""One instrument, and what is there of it."""

from asyncio import to_thread
from functools import partial
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import answers, coverage
from api.coverage import Fields, Instrument
from api.query import CoverageQuery, InstrumentDayQuery, InstrumentId
from api.routes.common import ONCE, PriceReader
from api.schemas import coverage as schemas_coverage
from api.schemas import prices as schemas
from api.state import state_of
from api.wire.caching import Cached
from db.visible import Visible
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["prices"], route_class=Cached)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_Id = Annotated[InstrumentId, Path(description="the id; of another letter than A-Z a-z 0-9 . _ - write it as %")]


@router.get(
    "/instruments/{instrument:path}/coverage",
    response_model=None,
    responses={200: {"model": schemas_coverage.Coverage}, **schemas.READ},
)
async def show_coverage(
    request: Request, caller: PriceReader, instrument: _Id, ask: Annotated[CoverageQuery, Query()]
) -> Response:
    """What is there of an instrument: first, last, gaps, freshness, and each local day of the range.

    An interval is expected from its due time on, day-ahead prices from that of their day, and none before the day of
    the first price. Nothing is promised of single prices and irregular runs: their counts are null, not 0. Of such
    runs a gap is a time in which no price holds. Nodes of a block of hours are expected in those hours alone.
    """
    visible = await answers.visible(request, caller, ask)
    one = await _found(request, visible, instrument)
    fields = await coverage.covered(state_of(request).reads, one, visible, ask, clock.now())
    return answers.one(request, ask, _ENCODER.encode(fields), partial(coverage.table, fields))


@router.get(
    "/instruments/{instrument:path}",
    response_model=None,
    responses={200: {"model": schemas_coverage.InstrumentDetail}, **schemas.READ},
)
async def show_instrument(
    request: Request, caller: PriceReader, instrument: _Id, ask: Annotated[InstrumentDayQuery, Query()]
) -> Response:
    """An instrument: its market, product, location, zone and unit, what it is (on a day) and how sure that is, its
    native interval and its finest bar."""
    visible = await answers.visible(request, caller, ask)
    one, state, today = await _found(request, visible, instrument), state_of(request), clock.now().date()
    snapshot = await state.reads.snapshot()
    row = await to_thread(state.catalogue.one, snapshot, one.row, ask.day or today, today)
    return _answer(await coverage.detail(state.reads, Instrument(row)))


async def _found(request: Request, visible: Visible, name: str) -> Instrument:
    """The caller's own instrument of that name, else the public one; 404 where there is none."""
    reference = await state_of(request).references.named(visible, [name])
    answers.require_all([name], reference)
    return Instrument(visible.first(reference))


def _answer(fields: Fields) -> Response:
    return Response(_ENCODER.encode(fields), media_type="application/json")
