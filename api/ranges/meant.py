"""Instruments over [start, end) as they are meant, and how a page of them is answered."""

import itertools
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl
from fastapi import Request
from starlette.responses import Response

from api import answers
from api.listing import SETTLED
from api.moment import Moment, described, moment
from api.query import RangeQuery, check_order
from api.reads.ports import Page, Window
from api.security.history import begun, require_history, sources
from api.security.principal import Principal
from api.spread_query import BasisQuery
from api.state import state_of
from db.visible import Visible
from pipeline import products
from pipeline.schema import LATEST
from service import clock


class Asked(NamedTuple):
    """The rows of the reference that are meant, and which part of them. What is read of other instruments of the same
    names and tenants is not shown."""

    visible: Visible
    reference: pl.DataFrame
    window: Window
    moment: Moment | None


async def asked(request: Request, caller: Principal, ask: RangeQuery, span: timedelta) -> Asked:
    """The range as meant, by default of this length; a cursor carries on with the start that its first page found."""
    visible = await answers.visible(request, caller, ask)
    held = answers.position(request, caller, ask)
    known = await moment(state_of(request).reads, ask.as_of)
    reference = await state_of(request).references.named(visible, ask.instrument)
    answers.require_all(ask.instrument, reference)
    start, end = between(ask, held, span, visible, sources(reference.select("tenant", "market").iter_rows()))
    window = Window(start, end, None if held is None else held["after"], ask.limit)
    return Asked(visible, reference, window, described(known, reference.select("complete", "market").iter_rows()))


def between(
    ask: RangeQuery | BasisQuery, held: dict[str, int] | None, span: timedelta, visible: Visible, tenants: set[str]
) -> tuple[datetime, datetime]:
    """The range that is meant of these tenants' prices. 403 where it begins before what the caller may see."""
    now = clock.now()
    last = ask.end or ask.as_of or now.replace(microsecond=0)
    open_start = clock.from_us(held["start"]) if held else begun(last - span, visible, tenants, now)
    start, end = ask.start or open_start, ask.end or LATEST
    check_order(start, end)
    require_history(visible, tenants, start, now)
    return start, end


def settles(ask: RangeQuery, asked: Asked) -> datetime | None:
    """When the time is over in which prices of the range may come; None where the range itself is not over."""
    if ask.end is None or ask.end > clock.now():
        return None
    pairs = asked.reference.select("market", "product").unique().iter_rows()
    return ask.end + max(product.lateness + product.grace for product in itertools.starmap(products.product, pairs))


def listed(
    request: Request, caller: Principal, ask: RangeQuery, asked: Asked, page: Page, *, is_settled: bool = False
) -> Response:
    """The response of a page of rows that are ready to be shown; `is_settled`: only corrections can change it."""
    held = {"start": clock.to_us(asked.window.start), "after": page.following}
    going_on = None if page.following is None else held
    response = answers.listed(request, caller, ask, page.rows, understood(ask, asked), going_on, asked.moment)
    if is_settled:
        response.headers.setdefault("Cache-Control", SETTLED)
    return response


def understood(ask: RangeQuery, asked: Asked) -> dict[str, object]:
    """The query with the start that was meant."""
    return answers.asked(ask) | {"start": asked.window.start}
