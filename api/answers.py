"""How a list is answered: whose rows, from which position on, and where the next page is."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl
from fastapi import Request
from starlette.responses import Response

from api import render
from api.listing import Around, tail
from api.moment import Moment
from api.problems import not_found
from api.query import InstrumentQuery, Listed, Priced
from api.security.principal import Principal
from api.state import state_of


def tenants_of(caller: Principal, ask: Listed | InstrumentQuery) -> list[str]:
    """The tenants whose rows are asked for; 404 for one that the caller cannot read."""
    if ask.tenant is None:
        return list(caller.readable)
    if ask.tenant not in caller.readable:
        raise not_found(f"tenant: there is no {ask.tenant!r} for this key.")
    return [ask.tenant]


def require_all(names: Sequence[str], reference: pl.DataFrame) -> None:
    """404 for a name that the reference, as far as the caller reads it, does not have."""
    absent = sorted(set(names) - set(reference["instrument"]))
    if absent:
        raise not_found(f"instrument: there is no {absent[0]!r} for this key. /v1/instruments lists them.")


def position(request: Request, caller: Principal, ask: Listed) -> Any:
    """What the given cursor holds, None without one; 422 where it belongs to another query."""
    if ask.cursor is None:
        return None
    return state_of(request).cursors.read(_bound(ask), caller.tenant, ask.cursor)


def around(
    request: Request,
    caller: Principal,
    ask: Listed,
    query: Mapping[str, object],
    going_on: object,
    moment: Moment | None = None,
) -> Around:
    """`going_on` is the position (plain JSON values) of what follows, if any."""
    cursor, headers = None, {}
    if going_on is not None:
        cursor = state_of(request).cursors.make(_bound(ask), caller.tenant, going_on)
        address = request.url.include_query_params(cursor=cursor)
        headers["Link"] = f'<{address.path}?{address.query}>; rel="next"'
    return Around(tail(cursor, _json(query), None if moment is None else moment.complete), headers)


def listed(
    request: Request,
    caller: Principal,
    ask: Listed,
    rows: pl.DataFrame,
    query: Mapping[str, object],
    going_on: object,
    moment: Moment | None = None,
) -> Response:
    """The response of a list."""
    text = render.rows(rows, decimals_as_text=wants_text(ask))
    return around(request, caller, ask, query, going_on, moment).response(text.encode())


def wants_text(ask: Listed) -> bool:
    """Whether decimals are to be texts."""
    return isinstance(ask, Priced) and ask.price_type == "decimal"


def asked(ask: Listed) -> dict[str, object]:
    """The query as understood: what was given, and the defaults."""
    return ask.model_dump(exclude={"cursor"}, exclude_none=True)


def _bound(ask: Listed) -> dict[str, object]:
    """What a cursor is bound to: all that was asked but how much at once."""
    return ask.model_dump(mode="json", exclude={"cursor", "limit"})


def _json(query: Mapping[str, object]) -> str:
    return msgspec.json.encode(query).decode()
