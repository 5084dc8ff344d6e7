"""The live stream: WebSocket, Server-Sent Events, and tickets for browsers."""

import secrets
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Annotated, Final, cast
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocket

from api.live.connection import Connection
from api.live.events import Events
from api.live.live import Live
from api.live.meaning import Refused
from api.live.query import StreamQuery, asked_by
from api.live.session import Session, too_many
from api.live.wire import EXTENSION, Wire
from api.problems import Problem, answer, not_found
from api.routes.common import ONCE, StreamReader
from api.schemas import prices as schemas
from api.schemas.stream import Ticket
from api.security.audit import denied
from api.security.guard import Guarded, given, unauthorized
from api.security.principal import Principal
from api.security.scopes import STREAM
from api.state import State, state_of
from service import clock

TICKET_S: Final = 30
_EVENTS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # no proxy may hold them back
router: Final = APIRouter(prefix="/v1", tags=["stream"], route_class=Guarded)


@router.post("/ws-tickets", status_code=201, dependencies=[ONCE], responses=schemas.READ)
async def make_ticket(request: Request, caller: StreamReader) -> Ticket:
    """A ticket for one connection to `/v1/stream?ticket=…` within 30 seconds: what a browser, which can send no header
    there, uses in place of a key."""
    ticket = secrets.token_urlsafe(32)
    await state_of(request).reads.keep_ticket(ticket, caller.key_id, TICKET_S)
    return Ticket(ticket=ticket, expires_at=clock.now() + timedelta(seconds=TICKET_S))


@router.get("/stream", dependencies=[ONCE], include_in_schema=False, response_model=None)
async def stream_events(request: Request, caller: StreamReader, ask: Annotated[StreamQuery, Query()]) -> Response:
    """One subscription of the live stream as Server-Sent Events (docs/stream.md)."""
    live, way = state_of(request).live, Events()
    _require_room(live, caller)
    principal = await live.keys.admitted(caller.key_id)
    if principal is None:
        raise unauthorized("This API key was revoked a moment ago.")
    connection = live.open(way)
    way.resumed = connection.flush
    try:
        live.keys.watch(connection, principal)
        await connection.subscribe(asked_by(ask, request.headers.get("last-event-id")))
        if not connection.is_used:
            raise not_found("instrument: there is none of these for this key. /v1/instruments lists them.")
    except Refused as refused:
        live.close(connection)
        raise _problem(refused) from None
    except BaseException:
        live.close(connection)
        raise
    if request.state.bodiless:
        live.close(connection)
        return Response(media_type="text/event-stream", headers=_EVENTS)
    return StreamingResponse(_until_end(live, connection, way), media_type="text/event-stream", headers=_EVENTS)


async def _until_end(live: Live, connection: Connection, way: Events) -> AsyncGenerator[bytes]:
    try:
        async for each in way.body():
            yield each
    finally:
        live.close(connection)


def _problem(refused: Refused) -> Problem:
    if refused.code == "scope-missing":
        return Problem(403, "scope-missing", refused.detail)
    if refused.code == "too-many-replays":
        return Problem(429, "rate-limited", refused.detail, headers={"Retry-After": "60"})
    return Problem(422, "invalid-parameter", refused.detail)


@router.websocket("/stream")
async def stream(websocket: WebSocket) -> None:
    """The live stream (docs/stream.md)."""
    state = state_of(websocket)
    websocket.state.request_id = secrets.token_hex(16)
    try:
        _require_origin(websocket.headers, state.live.rules.origins)
        principal = await _caller(websocket, state)
        _require_room(state.live, principal)
    except Problem as problem:
        if problem.status in (401, 403):
            denied(websocket, problem.kind, sent=given(websocket.headers))
        await websocket.send_denial_response(answer(problem, websocket.state.request_id))
        return
    await websocket.accept()
    wire = cast("Wire", websocket.scope["extensions"][EXTENSION]["wire"])
    session = Session(state, state.live, wire)
    wire.resumed = session.connection.flush
    await session.run(websocket, principal)


def _require_origin(headers: Headers, allowed: tuple[str, ...]) -> None:
    """A page may connect from the API's own address and from those that the operator names; programs send no origin."""
    origin = headers.get("origin")
    if origin is None or origin in allowed or urlsplit(origin).netloc == headers.get("host"):
        return
    detail = f"{origin[:80]} may not connect. The operator names pages in DATA_PROC_API_CORS_ORIGINS."
    raise Problem(403, "origin-refused", detail)


async def _caller(websocket: WebSocket, state: State) -> Principal | None:
    """Whose key or ticket was sent; None where neither was."""
    tickets = websocket.query_params.getlist("ticket")
    if set(websocket.query_params) - {"ticket"} or len(tickets) > 1:
        raise Problem(422, "invalid-parameter", "Of parameters there is `ticket` alone; all else is said in messages.")
    keys = given(websocket.headers)
    if len(keys) + len(tickets) > 1:
        raise unauthorized("Send one API key, or one ticket.")
    if not keys and not tickets:
        return None
    key_id = await state.reads.take_ticket(tickets[0]) if tickets else await _key_id(state, *keys)
    principal = None if key_id is None else await state.live.keys.admitted(key_id)
    if principal is None:
        state.metrics.count("auth_refusals", reason="unknown")
        raise unauthorized("This ticket, or API key, is unknown, used, expired or revoked.")
    if STREAM not in principal.scopes:
        raise Problem(403, "scope-missing", f"This key lacks the scope {STREAM}.")
    return principal


async def _key_id(state: State, key: str) -> str | None:
    known = await state.principals.of(key)
    return None if known is None else known.key_id


def _require_room(live: Live, principal: Principal | None) -> None:
    if live.is_full:
        detail = "This process has as many connections as it may have. Come again in a moment."
        raise Problem(503, "too-many-streams", detail, headers={"Retry-After": "5"})
    if principal is not None and live.keys.count(principal.key_id) >= live.rules.of_key:
        raise Problem(429, "rate-limited", too_many(live), headers={"Retry-After": "60"})
