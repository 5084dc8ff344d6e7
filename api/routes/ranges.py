"""Ticks and bars: instruments over [start, end)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, NamedTuple

import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import answers, schemas, shapes
from api.ports import Page
from api.problems import invalid
from api.query import BarsQuery, RangeQuery, TicksQuery, check_order
from api.routes.common import ONCE, BarReader, PriceReader
from api.security.principal import Principal
from api.state import state_of
from pipeline.schema import LATEST
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE])
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_MONTH: Final = timedelta(days=31)


@router.get("/ticks", response_model=None, tags=["prices"], responses={200: {"model": schemas.Ticks}, **schemas.READ})
async def list_ticks(request: Request, caller: PriceReader, ask: Annotated[TicksQuery, Query()]) -> Response:
    """Ticks as they are now: the current publication of each price, by instrument and interval start."""
    asked = await _range(request, caller, ask, _DAY)
    page = await state_of(request).reads.ticks(
        asked.tenants, ask.instrument, asked.start, asked.end, asked.after, ask.limit
    )
    rows = shapes.shown_ticks(page.rows, asked.reference)
    return _listed(request, caller, ask, asked, Page(rows, page.following))


@router.get("/bars", response_model=None, tags=["bars"], responses={200: {"model": schemas.Bars}, **schemas.READ})
async def list_bars(request: Request, caller: BarReader, ask: Annotated[BarsQuery, Query()]) -> Response:
    """Bars, labelled by their left edge; a bucket without a price has none. `1d` is the local day."""
    asked = await _range(request, caller, ask, _MONTH if ask.interval == "1d" else _DAY)
    _refuse_finer(ask.interval, asked.reference)
    page = await state_of(request).reads.bars(
        asked.tenants, ask.instrument, ask.interval, asked.start, asked.end, asked.after, ask.limit
    )
    past = min(await state_of(request).reads.watermark(), clock.now())
    rows = shapes.shown_bars(page.rows, asked.reference, past)
    return _listed(request, caller, ask, asked, Page(rows, page.following))


class _Asked(NamedTuple):
    tenants: list[str]
    reference: pl.DataFrame
    start: datetime
    end: datetime
    after: object | None


async def _range(request: Request, caller: Principal, ask: RangeQuery, span: timedelta) -> _Asked:
    """The range as meant; a cursor carries on with the start that its first page worked out."""
    tenants = answers.tenants_of(caller, ask)
    held = answers.position(request, caller, ask)
    start = ask.start or (_began(held) if held else (ask.end or clock.now().replace(microsecond=0)) - span)
    end = ask.end or LATEST
    check_order(start, end)
    reference = await state_of(request).references.named(tenants, ask.instrument)
    answers.require_all(ask.instrument, reference)
    return _Asked(tenants, reference, start, end, None if held is None else held["after"])


def _began(held: dict[str, int]) -> datetime:
    return _EPOCH + timedelta(microseconds=held["start"])


def _listed(request: Request, caller: Principal, ask: RangeQuery, asked: _Asked, page: Page) -> Response:
    query = answers.asked(ask) | {"start": asked.start}
    held = {"start": clock.to_us(asked.start), "after": page.following}
    return answers.listed(request, caller, ask, page.rows, query, None if page.following is None else held)


def _refuse_finer(interval: str, reference: pl.DataFrame) -> None:
    for instrument, market, product in reference.select("instrument", "market", "product").iter_rows():
        finest = shapes.finest_bar(market, product)
        if shapes.is_finer(interval, finest):
            raise invalid("interval", f"{instrument} has no bars finer than {finest}.")
