"""Ticks and bars that come as one long answer, in any format but JSON."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple

import polars as pl
from fastapi import Request
from starlette.responses import Response

from api import answers
from api.formats.media import MEDIA
from api.formats.naming import disposition
from api.formats.writers import writer
from api.problems import invalid
from api.query import RangeQuery
from api.ranges import estimates, slices
from api.ranges.estimates import Counted
from api.ranges.meant import Asked, understood
from api.ranges.slices import Frames, ReadParts
from api.ranges.streaming import Streamed, begun, written
from api.security.principal import Principal
from api.state import state_of
from api.values import MAX_LIMIT, MAX_LONG
from pipeline.errors import DataProcessingError
from service import clock

_COLUMNS: Final = frozenset({"parquet", "arrow"})


class Source(NamedTuple):
    """`read` gives rows that are ready to be shown; `by_hour` tells where about how many are stored (`counts.COUNTED`);
    `at_once`: how many it reads at once; `rows`: how many it gives, where these are not the stored ones."""

    read: ReadParts
    by_hour: Callable[[], Awaitable[pl.DataFrame]]
    at_once: int = slices.ROWS
    rows: Callable[[], Awaitable[Counted]] | None = None


def is_long(request: Request, ask: RangeQuery) -> bool:
    """Whether the answer is no page: not of JSON, and no `limit` as small as a page's. 422 for a larger one of JSON."""
    given = "limit" in ask.model_fields_set
    if answers.format_of(request, ask) != "json":
        return not given or ask.limit > MAX_LIMIT
    if ask.limit > MAX_LIMIT:
        most = f"should be less than or equal to {MAX_LIMIT} in JSON, {MAX_LONG} in other formats."
        raise invalid("limit", most)
    return False


def told(
    request: Request, caller: Principal, ask: RangeQuery, asked: Asked, kind: estimates.Kind, found: Counted
) -> Response:
    """The answer of a `dry_run`."""
    limit = None if is_long(request, ask) else ask.limit
    left = state_of(request).accounts.rows_left(caller, clock.now())
    return estimates.told(kind, found, limit, left, understood(ask, asked))


async def answer(request: Request, caller: Principal, ask: RangeQuery, asked: Asked, source: Source) -> Response:
    """The response, of which the first rows are read: what fails until then is a problem, not a broken answer."""
    most = ask.limit if "limit" in ask.model_fields_set else None
    counted = await source.by_hour()
    rows = sum(counted["rows"].to_list()) if source.rows is None else (await source.rows()).rows
    _require_room(request, caller, rows, most)
    ended = state_of(request).streams.take(caller.tenant)
    try:
        frames = await begun(_frames(asked, source, counted, most))
        return _streamed(request, caller, ask, asked, frames, ended)
    except BaseException:
        ended()
        raise


def _require_room(request: Request, caller: Principal, rows: int, most: int | None) -> None:
    """422 where there is more than one answer holds, 429 where there is more than the caller may have today."""
    if most is None and rows > MAX_LONG:
        raise invalid(
            "end", f"there are about {rows} rows up to it, and an answer holds {MAX_LONG}. Ask for a part of it."
        )
    state_of(request).accounts.require_rows(caller, clock.now(), rows if most is None else min(rows, most))


async def _frames(asked: Asked, source: Source, counted: pl.DataFrame, most: int | None) -> Frames:
    """Without `most` it is all or nothing: an answer that would be cut is broken off."""
    left = MAX_LONG if most is None else most
    parts = slices.windows(slices.cuts(counted, asked.window), asked.window, min(source.at_once, left + 1))
    async for rows in slices.first(source.read(parts), left + (most is None)):
        if (left := left - rows.height) < 0:
            raise DataProcessingError(f"the range holds more than {MAX_LONG} rows. Ask for a part of it.", "api")
        yield rows


def _streamed(
    request: Request, caller: Principal, ask: RangeQuery, asked: Asked, frames: Frames, ended: Callable[[], None]
) -> Response:
    name, query = answers.format_of(request, ask), understood(ask, asked)
    about = answers.around(request, caller, ask, query, None, asked.moment)
    headers = {**about.headers, "Content-Disposition": disposition(request.url.path, query, name)}
    made = writer(name, decimals_as_text=answers.wants_text(ask))
    body = written(frames, made, partial(answers.count_rows, request), in_pieces=name not in _COLUMNS)
    return Streamed(body, headers, MEDIA[name].content_type, ended)
