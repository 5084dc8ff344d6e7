"""Ticks: prices of instruments over [start, end)."""

import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import shapes
from api.query import TicksQuery
from api.ranges import counts as range_counts
from api.ranges import long_answers
from api.ranges import meant as ranges
from api.ranges.local_time import TICK_INSTANTS, with_local
from api.ranges.long_answers import Source
from api.ranges.meant import Asked
from api.ranges.spikes import Spikes
from api.reads.ports import Names, Page, Reads, Window
from api.routes.common import ONCE, PriceReader
from api.schemas import prices as schemas
from api.state import state_of
from api.wire.caching import Cached
from pipeline import products
from pipeline.bars import by_end
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["prices"], route_class=Cached)
_DAY: Final = timedelta(days=1)
_Read = Callable[[Names, Names, Window, datetime | None], Awaitable[Page]]


@router.get("/ticks", response_model=None, responses={200: {"model": schemas.Ticks}, **schemas.READ})
async def list_ticks(request: Request, caller: PriceReader, ask: Annotated[TicksQuery, Query()]) -> Response:
    """Ticks as they are now, or were known `as_of` an instant: the current publication of each price, by instrument and
    interval start; with `revisions` every one that changed it.
    """
    asked = await ranges.asked(request, caller, ask, _DAY)
    state = state_of(request)
    is_long = long_answers.is_long(request, ask)
    if ask.dry_run:
        found = await range_counts.ticks(state.reads, ask, asked)
        return long_answers.told(request, caller, ask, asked, "ticks", found)
    read = partial(_shown, state.reads, ask, asked, _read(state.reads, ask, asked, is_long=is_long), Spikes())
    if is_long:
        source = Source(read, partial(range_counts.ticks_by_hour, state.reads, asked))
        return await long_answers.answer(request, caller, ask, asked, source)
    is_settled = await _is_settled(state.reads, ask, asked)
    return ranges.listed(request, caller, ask, asked, await read(asked.window), is_settled=is_settled)


async def _is_settled(reads: Reads, ask: TicksQuery, asked: Asked) -> bool:
    """Whether the range is over, and the time in which its prices may come; to be asked before they are read."""
    if ask.end is None or ask.end > clock.now():
        return False
    pairs = asked.reference.select("market", "product").unique().iter_rows()
    last = max(product.lateness + product.grace for product in itertools.starmap(products.product, pairs))
    return ask.end + last <= await reads.watermark()


def _read(reads: Reads, ask: TicksQuery, asked: Asked, *, is_long: bool) -> _Read:
    if ask.revisions:
        return reads.revisions
    return reads.many_ticks if is_long and not by_end(asked.reference).any() else reads.ticks


async def _shown(reads: Reads, ask: TicksQuery, asked: Asked, read: _Read, spikes: Spikes, window: Window) -> Page:
    page = await read(asked.visible.tenants, ask.instrument, window, asked.moment and asked.moment.at)
    # What was usual at an earlier instant, nobody kept.
    rows = page.rows if asked.moment else await spikes.flagged(reads, asked.visible.tenants, page.rows)
    shown = shapes.shown_ticks(rows, asked.reference)
    return Page(with_local(shown, asked.reference, ask.timezone, TICK_INSTANTS), page.following)
