"""Bars of instruments over [start, end)."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Final

import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import shapes
from api.moment import arrived
from api.problems import invalid
from api.query import BarsQuery
from api.ranges import again, days, fill, long_answers, slices, whose
from api.ranges import counts as range_counts
from api.ranges import meant as ranges
from api.ranges.fill import NONE, Fill, Sources
from api.ranges.local_time import BAR_INSTANTS, with_local
from api.ranges.long_answers import Source
from api.ranges.meant import Asked
from api.ranges.settled import Made
from api.reads.ports import Names, Page, Reads, Window
from api.routes.common import ONCE, BarReader
from api.schemas import prices as schemas
from api.state import state_of
from api.values import MAX_LIMIT
from api.wire.caching import Cached
from pipeline import blocks
from pipeline.blocks import Block
from pipeline.errors import DataProcessingError
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["bars"], route_class=Cached)
_DAY: Final = timedelta(days=1)
_MONTH: Final = timedelta(days=31)


@router.get("/bars", response_model=None, responses={200: {"model": schemas.Bars}, **schemas.READ})
async def list_bars(request: Request, caller: BarReader, ask: Annotated[BarsQuery, Query()]) -> Response:
    """Bars, labelled by their left edge; a bucket without a price has none, unless `fill` is asked for. `1d` is the
    local day, or that of `timezone`.

    `as_of` an instant: as they were then, computed from what was known; a page of them may hold fewer rows than `limit`
    although there is a next one.

    With `block` only its hours count, e.g. `peak`: a `1d` bar is final once they are over, and a day without any has
    none.
    """
    version = await state_of(request).references.look()
    asked = await ranges.asked(request, caller, ask, _MONTH if ask.interval == "1d" else _DAY)
    _refuse_finer(ask, asked.reference)
    block = _block(ask, asked.reference)
    meant = asked._replace(reference=days.with_days(asked.reference, ask, block, asked.window))
    reads = state_of(request).reads
    wanted = _fill(ask, meant, block)
    filled = partial(range_counts.filled, reads, meant, wanted) if wanted else None
    if ask.dry_run:
        found = await (filled() if filled else range_counts.bars(reads, ask, asked))
        return long_answers.told(request, caller, ask, asked, "bars", found)
    read = partial(_read, reads, ask, meant, block)
    if long_answers.is_long(request, ask):
        stored = partial(reads.count_bars, range_counts.whose(asked), ask.interval)
        source = Source(partial(slices.paged, read), stored, MAX_LIMIT, filled)
        return await long_answers.answer(request, caller, ask, asked, source)

    async def make() -> Made:
        past, settles = await arrived(reads, asked.moment), ranges.settles(ask, asked)
        page = await _shown(reads, ask, meant, block, past, asked.window)
        is_settled = settles is not None and settles <= past and page.rows["is_final"].all()
        response = ranges.listed(request, caller, ask, asked, page, is_settled=is_settled)
        return Made(response, page.rows.height)

    if not _is_stored(ask, meant, block):
        return (await make()).response
    stand = partial(reads.stand_of_bars, asked.window.start, asked.window.end)
    return await again.answer(request, caller, version, asked.window.start, stand, make)


def _is_stored(ask: BarsQuery, asked: Asked, block: Block | None) -> bool:
    """Whether the answer shows stored bars of a closed range, and nothing that follows from others."""
    as_they_are = ask.fill == "none" and asked.moment is None and days.block_to_read(asked.reference, block) is None
    return as_they_are and ask.end is not None and ask.end <= clock.now()


async def _read(reads: Reads, ask: BarsQuery, asked: Asked, block: Block | None, window: Window) -> Page:
    return await _shown(reads, ask, asked, block, await arrived(reads, asked.moment), window)


async def _shown(
    reads: Reads, ask: BarsQuery, asked: Asked, block: Block | None, past: datetime, window: Window
) -> Page:
    """A page as it is shown: filled, and with local times, where that is asked for."""
    part, wanted = asked._replace(window=window), _fill(ask, asked, block)
    page = await (_bars(reads, ask, part, block) if wanted is None else _filled(reads, ask, part, block, wanted))
    rows = shapes.shown_bars(page.rows, asked.reference, past, block)
    return Page(with_local(rows, asked.reference, ask.timezone, BAR_INSTANTS), page.following)


async def _bars(reads: Reads, ask: BarsQuery, asked: Asked, block: Block | None) -> Page:
    read = days.block_to_read(asked.reference, block)
    if asked.moment is not None:
        return await reads.known_bars(asked.reference, ask.interval, asked.window, asked.moment.at, read)
    if read is not None:
        return await reads.block_bars(asked.reference, ask.interval, read, asked.window)

    async def stored(tenants: Names, names: Names, window: Window) -> Page:
        return await reads.bars(tenants, names, ask.interval, window)

    return await whose.page(stored, asked.reference, asked.window, whose.BARS)


def _fill(ask: BarsQuery, asked: Asked, block: Block | None) -> Fill | None:
    """How empty buckets are filled, if they are."""
    if ask.fill == "none":
        return None
    now = clock.now() if asked.moment is None else asked.moment.at
    return Fill(ask.fill, ask.interval, block, now, days.of_grid(asked.reference, block))


async def _filled(reads: Reads, ask: BarsQuery, asked: Asked, block: Block | None, wanted: Fill) -> Page:
    async def bars(who: pl.DataFrame, window: Window) -> Page:
        some = asked.reference.join(who, on=["tenant", "instrument"], how="semi")
        return await _bars(reads, ask, asked._replace(reference=some, window=window), block) if some.height else NONE

    async def ticks(names: list[str], start: datetime, end: datetime) -> pl.DataFrame:
        read = partial(reads.ticks, known=asked.moment and asked.moment.at)
        some = asked.reference.filter(pl.col("instrument").is_in(names))
        return await whose.whole(read, some, Window(start, end, None, fill.MOST_TICKS))

    return await fill.page(wanted, asked.window, Sources(bars, ticks))


def _block(ask: BarsQuery, reference: pl.DataFrame) -> Block | None:
    """The block that is asked for, where it is not all hours."""
    if ask.block is None or ask.block == blocks.ATC:
        return None
    if shapes.is_finer(ask.interval, "1h"):
        raise invalid("block", f"is made of hours, which {ask.interval} bars cut. Ask for interval 1h or 1d.")
    try:
        for market in reference["market"].unique().sort():
            blocks.hours_of(ask.block, market)
    except DataProcessingError as error:
        raise invalid("block", error.message) from None
    return ask.block


def _refuse_finer(ask: BarsQuery, reference: pl.DataFrame) -> None:
    for instrument, market, product in reference.select("instrument", "market", "product").iter_rows():
        finest = shapes.finest_bar(market, product)
        if ask.fill != "hold" and shapes.is_finer(ask.interval, finest):
            repeat = "fill=hold repeats each price inside its own interval"
            raise invalid("interval", f"{instrument} has no bars finer than {finest}: ask for that, or {repeat}.")
