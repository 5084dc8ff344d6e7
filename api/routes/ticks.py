"""Ticks: prices of instruments over [start, end)."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from typing import Annotated, Final

import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import shapes
from api.query import TicksQuery
from api.ranges import counts as range_counts
from api.ranges import long_answers, slices, whose
from api.ranges import meant as ranges
from api.ranges.local_time import TICK_INSTANTS, with_local
from api.ranges.long_answers import Source
from api.ranges.meant import Asked
from api.ranges.slices import Frames, ReadParts
from api.ranges.spikes import Spikes
from api.reads.ports import Page, Reads, Window
from api.routes.common import ONCE, PriceReader
from api.schemas import prices as schemas
from api.state import state_of
from api.values import MAX_LIMIT
from api.wire.caching import Cached
from pipeline.bars import by_end

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["prices"], route_class=Cached)
_DAY: Final = timedelta(days=1)
_Show = Callable[[pl.DataFrame], Awaitable[pl.DataFrame]]


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
    show = partial(_shown, state.reads, ask, asked, Spikes())
    if is_long:
        source = _source(state.reads, ask, asked, show)
        return await long_answers.answer(request, caller, ask, asked, source)
    settles = ranges.settles(ask, asked)
    is_settled = settles is not None and settles <= await state.reads.watermark()  # before the ticks are read
    page = await _page(state.reads, ask, asked, show, asked.window)
    return ranges.listed(request, caller, ask, asked, page, is_settled=is_settled)


def _source(reads: Reads, ask: TicksQuery, asked: Asked, show: _Show) -> Source:
    counted = partial(range_counts.ticks_by_hour, reads, asked)
    groups = whose.groups(asked.reference)
    if ask.revisions or by_end(asked.reference).any() or len(groups) > 1:
        pages = partial(slices.paged, partial(_page, reads, ask, asked, show))
        return Source(pages, counted, MAX_LIMIT)
    many = partial(reads.many_ticks, *groups[0], known=asked.moment and asked.moment.at)
    return Source(partial(_many, many, show), counted)


async def _many(read: ReadParts, show: _Show, parts: Iterator[Window]) -> Frames:
    async with aclosing(read(parts)) as found:
        async for rows in found:
            yield await show(rows)


async def _page(reads: Reads, ask: TicksQuery, asked: Asked, show: _Show, window: Window) -> Page:
    read, order = (reads.revisions, whose.REVISIONS) if ask.revisions else (reads.ticks, whose.TICKS)
    known = partial(read, known=asked.moment and asked.moment.at)
    page = await whose.page(known, asked.reference, window, order)
    return Page(await show(page.rows), page.following)


async def _shown(reads: Reads, ask: TicksQuery, asked: Asked, spikes: Spikes, ticks: pl.DataFrame) -> pl.DataFrame:
    # What was usual at an earlier instant, nobody kept.
    rows = ticks if asked.moment else await spikes.flagged(reads, asked.visible.tenants, ticks)
    return with_local(shapes.shown_ticks(rows, asked.reference), asked.reference, ask.timezone, TICK_INSTANTS)
