"""Latest prices and the instruments that there are."""

from asyncio import to_thread
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import answers, shapes
from api.catalogue import Wanted
from api.formats.negotiation import accepted, is_json
from api.latest import aging
from api.latest import table as latest_table
from api.latest.kept import Kind
from api.latest.pages import Page
from api.listing import CHECKED
from api.moment import Moment, described, moment
from api.problems import invalid
from api.query import InstrumentsQuery, LatestQuery
from api.ranges import estimates
from api.ranges.estimates import Counted
from api.routes.common import ONCE, PriceReader
from api.schemas import prices as schemas
from api.security.guard import Guarded, admitted
from api.security.history import require_history, sources
from api.security.principal import Principal
from api.security.scopes import PRICES
from api.state import state_of
from api.wire.caching import Cached
from db.postgres.reference import Filters
from db.visible import Visible
from service import clock

_MOST: Final = 1_000_000  # instruments that are counted


class _Remembering(Guarded):
    """Answers a query that is remembered without reading it again; the key is asked for all the same."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        read = super().get_route_handler()

        async def handle(request: Request) -> Response:
            page = await _remembered(request)
            return await read(request) if page is None else await _answer(request, page)

        return handle


async def _remembered(request: Request) -> Page | None:
    pages, query = state_of(request).pages, request.scope["query_string"]
    if not pages.knows(query) or not is_json(accepted(request)):
        return None
    caller = await admitted(request, [PRICES])
    return await pages.remembered(query, caller.whose)


async def _answer(request: Request, page: Page) -> Response:
    answers.count_rows(request, len(page.keys))
    return await state_of(request).pages.answer(page)


router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["prices"], route_class=Cached)
latest: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["prices"], route_class=_Remembering)


@latest.get("/prices/latest", response_model=None, responses={200: {"model": schemas.LatestPrices}, **schemas.READ})
async def list_latest_prices(request: Request, caller: PriceReader, ask: Annotated[LatestQuery, Query()]) -> Response:
    """The latest price of each instrument, with age, expected cadence and status; no advisory ones.

    `newest` has the newest start; `in_force` holds now. Of day-ahead products, whose newest price is tomorrow's, the
    one that holds now is shown unless `mode` says otherwise; `mode` of a row tells which it is. `as_of` an instant:
    the latest prices that were known then, with the age and the status that they had.
    """
    _refuse_vague(ask)
    state = state_of(request)
    known = await moment(state.reads, ask.as_of)
    if ask.dry_run:
        return await _told(request, caller, ask)
    # None of these is asked for often enough to be remembered.
    if known is not None or ask.timezone is not None or answers.format_of(request, ask) != "json":
        response = await _read_once(request, caller, ask, known)
        # Which ones a market has, and where its pages end, follows the present.
        if known is not None and not ask.instrument:
            response.headers["Cache-Control"] = CHECKED
        return response
    version, visible = await state.references.look(), await answers.visible(request, caller, ask)
    page = await _page(request, caller, ask, visible, version)
    if ask.cursor is None and visible.version in {None, version}:
        state.pages.remember(request.scope["query_string"], caller.whose, page)
    return await _answer(request, page)


@router.get("/instruments", response_model=None, responses={200: {"model": schemas.Instruments}, **schemas.READ})
async def list_instruments(
    request: Request, caller: PriceReader, ask: Annotated[InstrumentsQuery, Query()]
) -> Response:
    """Instruments in order of their id, with what the reference says they are.

    While the reference cannot be read, the last snapshot of it is shown: `/readyz` says so.
    """
    visible, state, today = await answers.visible(request, caller, ask), state_of(request), clock.now().date()
    wanted = Wanted(ask.market, ask.product, ask.location, ask.q, ask.commodity, ask.region, ask.tier)
    snapshot = await state.reads.snapshot(fresh=True)
    every = await to_thread(state.catalogue.find, snapshot, visible, wanted, ask.day or today, today)
    found = _beyond(every, answers.position(request, caller, ask)).head(ask.limit + 1)
    rows = found.head(ask.limit).select(shapes.INSTRUMENT_FIELDS)
    return answers.listed(request, caller, ask, rows, answers.asked(ask), _going_on(found, ask.limit))


async def _page(request: Request, caller: Principal, ask: LatestQuery, visible: Visible, version: int) -> Page:
    found = await _meant(request, visible, ask, answers.position(request, caller, ask))
    around = answers.around(request, caller, ask, answers.asked(ask), _going_on(found, ask.limit))
    return Page(Kind(ask.mode, answers.wants_text(ask), version), found.head(ask.limit), around)


async def _read_once(request: Request, caller: Principal, ask: LatestQuery, known: Moment | None) -> Response:
    at = clock.now() if known is None else known.at
    visible = await answers.visible(request, caller, ask)
    meant = await _meant(request, visible, ask, answers.position(request, caller, ask))
    shown = meant.head(ask.limit)
    require_history(visible, sources(shown.select("tenant", "market").iter_rows()), at, clock.now())
    names = shown["instrument"].unique().to_list()
    reads = state_of(request).reads
    read = reads.latest if known is None else reads.known_latest
    found = await read(visible.tenants, names, ask.mode, at)
    known = described(known, shown.select("complete", "market").iter_rows())
    query, going_on = answers.asked(ask), _going_on(meant, ask.limit)
    if answers.format_of(request, ask) != "json":
        rows = latest_table.table(found, shown, at, ask.timezone)
        return answers.listed(request, caller, ask, rows, query, going_on, known)
    text = aging.text_at(found, shown, at, decimals_as_text=answers.wants_text(ask), timezone=ask.timezone)
    answers.count_rows(request, shown.height)
    return answers.around(request, caller, ask, query, going_on, known).response(text)


async def _told(request: Request, caller: Principal, ask: LatestQuery) -> Response:
    """Of every instrument that is meant a price, if it has one."""
    visible = await answers.visible(request, caller, ask)
    meant = await _meant(request, visible, ask.model_copy(update={"limit": _MOST}), None)
    left = state_of(request).accounts.rows_left(caller, clock.now())
    found = Counted(min(meant.height, _MOST), exact=meant.is_empty())
    return estimates.told("latest", found, ask.limit, left, answers.asked(ask))


def _refuse_vague(ask: LatestQuery) -> None:
    if bool(ask.instrument) == (ask.market is not None):
        raise invalid("instrument", "give either instruments or a market.")
    if ask.product is not None and ask.market is None:
        raise invalid("product", "needs a market.")


async def _meant(request: Request, visible: Visible, ask: LatestQuery, held: Any) -> pl.DataFrame:
    """The instruments that are asked for, in order, one more than the limit where there are more."""
    state = state_of(request)
    if not ask.instrument:
        filters = Filters(ask.market, ask.product)
        return await state.reads.find_instruments(visible, filters, _after(held), ask.limit + 1)
    reference = await state.references.named(visible, ask.instrument)
    answers.require_all(ask.instrument, reference)
    return _beyond(reference.sort("instrument", "tenant"), held).head(ask.limit + 1)


def _beyond(ordered: pl.DataFrame, held: Any) -> pl.DataFrame:
    """The rows after the position."""
    if (after := _after(held)) is None:
        return ordered
    name, tenant = pl.col("instrument"), pl.col("tenant")
    return ordered.filter((name > after[0]) | ((name == after[0]) & (tenant > after[1])))


def _after(held: Any) -> tuple[str, str] | None:
    return None if held is None else (held[0], held[1])


def _going_on(found: pl.DataFrame, limit: int) -> list[str] | None:
    """The position of the last row shown, where one more was found."""
    if found.height <= limit:
        return None
    last = found.row(limit - 1, named=True)
    return [last["instrument"], last["tenant"]]
