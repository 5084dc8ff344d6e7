"""How a list is answered: whose rows, from which position on, and where the next page is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import polars as pl
from fastapi import Request
from starlette.responses import Response

from api import render
from api.formats.media import VARY, FormatName
from api.formats.naming import disposition
from api.formats.negotiation import accepted, negotiated
from api.formats.writers import whole
from api.listing import CHECKED, FOR_EVER, Around, tail
from api.moment import Moment
from api.problems import not_found
from api.query import InFormats, InstrumentQuery, Listed, Paged, Priced, Strict
from api.security.audit import require_tenant
from api.security.principal import Principal
from api.state import state_of
from db.visible import Visible

COMPLETE: Final = "Gridtick-Complete"  # of answers that have no `complete`
_HOW: Final = frozenset({"format", "dry_run"})


async def visible(request: Request, caller: Principal, ask: Listed | InstrumentQuery) -> Visible:
    """What the caller may see of the tenants whose rows are asked for; 404 for a tenant that it cannot read."""
    require_tenant(request, caller, ask.tenant, caller.readable)
    tenants = caller.readable if ask.tenant is None else (ask.tenant,)
    return await state_of(request).sight.of(caller, tenants)


def require_all(names: Sequence[str], reference: pl.DataFrame) -> None:
    """404 for a name that the reference, as far as the caller reads it, does not have."""
    absent = sorted(set(names) - set(reference["instrument"]))
    if absent:
        raise not_found(f"instrument: there is no {absent[0]!r} for this key. /v1/instruments lists them.")


def position(request: Request, caller: Principal, ask: Paged) -> Any:
    """What the given cursor holds, None without one; 422 where it belongs to another query."""
    if ask.cursor is None:
        return None
    return state_of(request).cursors.read(_bound(request, ask), caller.tenant, ask.cursor)


def around(
    request: Request,
    caller: Principal,
    ask: Paged,
    query: Mapping[str, object],
    going_on: object,
    moment: Moment | None = None,
) -> Around:
    """`going_on` is the position (plain JSON values) of what follows, if any."""
    cursor, headers = None, {"Vary": VARY}
    if moment is not None:
        headers[COMPLETE] = "true" if moment.complete else "false"
        headers["Cache-Control"] = FOR_EVER if moment.lasts else CHECKED
    if going_on is not None:
        cursor = state_of(request).cursors.make(_bound(request, ask), caller.tenant, going_on)
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
    count_rows(request, rows.height)
    about, name = around(request, caller, ask, query, going_on, moment), format_of(request, ask)
    if name == "json":
        return about.response(render.rows(rows, decimals_as_text=wants_text(ask)).encode())
    body = whole(name, rows, decimals_as_text=wants_text(ask))
    return about.file(body, name, disposition(request.url.path, query, name))


def listed_objects(
    request: Request,
    caller: Principal,
    ask: Listed,
    objects: Sequence[Mapping[str, Any]],
    table: Callable[[Sequence[Mapping[str, Any]]], pl.DataFrame],
    going_on: object,
) -> Response:
    """The response of a list of objects that hold others: `table` makes rows of them for the formats with columns."""
    name, query = format_of(request, ask), asked(ask)
    if name not in {"json", "ndjson"}:
        return listed(request, caller, ask, table(objects), query, going_on)
    count_rows(request, len(objects))
    about, texts = around(request, caller, ask, query, going_on), [msgspec.json.encode(each) for each in objects]
    if name == "json":
        return about.response(b",".join(texts))
    return about.file(b"".join(text + b"\n" for text in texts), name, disposition(request.url.path, query, name))


def one(request: Request, ask: Strict, text: bytes, table: Callable[[], pl.DataFrame]) -> Response:
    """The response of one object: itself as JSON or as a line, or what the formats with columns have of it."""
    if (name := format_of(request, ask)) == "json":
        return Response(text, media_type="application/json", headers={"Vary": VARY})
    body = text + b"\n" if name == "ndjson" else whole(name, table(), decimals_as_text=False)
    return Around(b"", {"Vary": VARY}).file(body, name, disposition(request.url.path, ask.model_dump(), name))


def format_of(request: Request, ask: Strict) -> FormatName:
    """The format of the answer; 406 for an `Accept` that names none."""
    if not isinstance(ask, InFormats):
        return "json"
    return negotiated(accepted(request), ask.format)


def count_rows(request: Request, rows: int) -> None:
    """Counts rows of the answer for the limits of the caller."""
    of_request = request.scope["state"]
    of_request["rows"] = of_request.get("rows", 0) + rows


def wants_text(ask: Listed) -> bool:
    """Whether decimals are to be texts."""
    return isinstance(ask, Priced) and ask.price_type == "decimal"


def asked(ask: Paged) -> dict[str, object]:
    """The query as understood: what was given, and the defaults."""
    return ask.model_dump(exclude={"cursor", *_HOW}, exclude_none=True)


def _bound(request: Request, ask: Paged) -> Mapping[str, object]:
    """What a cursor is bound to: where and what was asked, but not how much at once."""
    return {"": request.url.path} | ask.model_dump(mode="json", exclude={"cursor", "limit", *_HOW})


def _json(query: Mapping[str, object]) -> str:
    return msgspec.json.encode(query).decode()
