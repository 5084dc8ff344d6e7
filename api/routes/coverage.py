"""One instrument, and what is there of it."""

from asyncio import to_thread
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import answers, coverage, schemas, schemas_coverage
from api.coverage import Fields, Instrument
from api.query import CoverageQuery, InstrumentDayQuery, InstrumentId, InstrumentQuery
from api.routes.common import ONCE, PriceReader
from api.security.principal import Principal
from api.state import state_of
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["prices"])
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
    one = await _found(request, caller, ask, instrument)
    return _answer(await coverage.covered(state_of(request).reads, one, ask, clock.now()))


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
    one, state, today = await _found(request, caller, ask, instrument), state_of(request), clock.now().date()
    snapshot = await state.reads.snapshot()
    row = await to_thread(state.catalogue.one, snapshot, one.row, ask.day or today, today)
    return _answer(await coverage.detail(state.reads, Instrument(row)))


async def _found(request: Request, caller: Principal, ask: InstrumentQuery, name: str) -> Instrument:
    """The caller's own instrument of that name, else the public one; 404 where there is none."""
    tenants = answers.tenants_of(caller, ask)
    reference = await state_of(request).references.named(tenants, [name])
    answers.require_all([name], reference)
    return Instrument(min(reference.to_dicts(), key=lambda row: tenants.index(row["tenant"])))


def _answer(fields: Fields) -> Response:
    return Response(_ENCODER.encode(fields), media_type="application/json")
