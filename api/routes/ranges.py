"""Ticks and bars: instruments over [start, end)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, NamedTuple

import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import answers, schemas, shapes
from api.moment import Moment, moment
from api.ports import Page, Reads, Window
from api.problems import invalid
from api.query import BarsQuery, RangeQuery, TicksQuery, check_order
from api.routes.common import ONCE, BarReader, PriceReader
from api.security.principal import Principal
from api.state import state_of
from pipeline import blocks, spikes
from pipeline.blocks import Block
from pipeline.errors import DataProcessingError
from pipeline.schema import LATEST
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE])
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_MONTH: Final = timedelta(days=31)
_DAYS: Final = 20_000  # bars of days that are looked at for what is usual


@router.get("/ticks", response_model=None, tags=["prices"], responses={200: {"model": schemas.Ticks}, **schemas.READ})
async def list_ticks(request: Request, caller: PriceReader, ask: Annotated[TicksQuery, Query()]) -> Response:
    """Ticks as they are now, or were known `as_of` an instant: the current publication of each price, by instrument and
    interval start; with `revisions` every one that changed it.
    """
    asked = await _range(request, caller, ask, _DAY)
    reads = state_of(request).reads
    page = await _ticks(reads, ask, asked)
    rows = shapes.shown_ticks(await _with_spikes(reads, page.rows, asked), asked.reference)
    return _listed(request, caller, ask, asked, Page(rows, page.following))


@router.get("/bars", response_model=None, tags=["bars"], responses={200: {"model": schemas.Bars}, **schemas.READ})
async def list_bars(request: Request, caller: BarReader, ask: Annotated[BarsQuery, Query()]) -> Response:
    """Bars, labelled by their left edge; a bucket without a price has none. `1d` is the local day.

    `as_of` an instant: as they were then, computed from what was known; a page of them may hold fewer rows than `limit`
    although there is a next one.

    With `block` only its hours count, e.g. `peak`: a `1d` bar is final once they are over, and a day without any has
    none.
    """
    asked = await _range(request, caller, ask, _MONTH if ask.interval == "1d" else _DAY)
    _refuse_finer(ask.interval, asked.reference)
    block = _block(ask, asked.reference)
    reads = state_of(request).reads
    page = await _bars(reads, ask, asked, block)
    past = min(await reads.watermark(), clock.now() if asked.moment is None else asked.moment.at)
    rows = shapes.shown_bars(page.rows, asked.reference, past, block)
    return _listed(request, caller, ask, asked, Page(rows, page.following))


async def _ticks(reads: Reads, ask: TicksQuery, asked: "_Asked") -> Page:
    read = reads.revisions if ask.revisions else reads.ticks
    return await read(asked.tenants, ask.instrument, asked.window, asked.moment and asked.moment.at)


async def _with_spikes(reads: Reads, rows: pl.DataFrame, asked: "_Asked") -> pl.DataFrame:
    """The ticks of now with `VOLUME_SPIKE`: what was usual at an earlier instant, nobody kept."""
    if asked.moment is not None or rows["volume"].null_count() == rows.height:
        return rows
    first, last = rows["start"].min(), rows["start"].max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    names = rows["instrument"].unique().to_list()
    window = Window(first - spikes.LOOK_BACK - _DAY, last + _DAY, None, _DAYS)
    days = await reads.bars(asked.tenants, names, "1d", window)
    return spikes.flagged(rows, days.rows)


async def _bars(reads: Reads, ask: BarsQuery, asked: "_Asked", block: Block | None) -> Page:
    if asked.moment is not None:
        return await reads.known_bars(asked.reference, ask.interval, asked.window, asked.moment.at, block)
    if block is not None:
        return await reads.block_bars(asked.reference, ask.interval, block, asked.window)
    return await reads.bars(asked.tenants, ask.instrument, ask.interval, asked.window)


class _Asked(NamedTuple):
    tenants: list[str]
    reference: pl.DataFrame
    window: Window
    moment: Moment | None


async def _range(request: Request, caller: Principal, ask: RangeQuery, span: timedelta) -> _Asked:
    """The range as meant; a cursor carries on with the start that its first page worked out."""
    tenants = answers.tenants_of(caller, ask)
    held = answers.position(request, caller, ask)
    known = await moment(state_of(request).reads, ask.as_of)
    last = ask.end or ask.as_of or clock.now().replace(microsecond=0)
    start = ask.start or (_began(held) if held else last - span)
    end = ask.end or LATEST
    check_order(start, end)
    reference = await state_of(request).references.named(tenants, ask.instrument)
    answers.require_all(ask.instrument, reference)
    window = Window(start, end, None if held is None else held["after"], ask.limit)
    return _Asked(tenants, reference, window, known)


def _began(held: dict[str, int]) -> datetime:
    return _EPOCH + timedelta(microseconds=held["start"])


def _listed(request: Request, caller: Principal, ask: RangeQuery, asked: _Asked, page: Page) -> Response:
    query = answers.asked(ask) | {"start": asked.window.start}
    held = {"start": clock.to_us(asked.window.start), "after": page.following}
    going_on = None if page.following is None else held
    return answers.listed(request, caller, ask, page.rows, query, going_on, asked.moment)


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


def _refuse_finer(interval: str, reference: pl.DataFrame) -> None:
    for instrument, market, product in reference.select("instrument", "market", "product").iter_rows():
        finest = shapes.finest_bar(market, product)
        if shapes.is_finer(interval, finest):
            raise invalid("interval", f"{instrument} has no bars finer than {finest}.")
