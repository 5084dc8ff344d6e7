"""Answers of closed ranges that were asked for before, to whoever may have them."""

from fastapi import Request
from starlette.responses import Response

from api.ranges.settled import Key, Make, Stand
from api.security.principal import Principal
from api.state import state_of
from api.wire.tags import query_of


async def answer(request: Request, caller: Principal, stand: Stand, make: Make) -> Response:
    """As `Settled.answer`. That the caller may see it has been looked at; its rows count as those of any answer."""
    query = query_of(request.scope, request.headers.get("accept", "").encode())
    key = Key(query, caller.whose, state_of(request).references.present)
    made = await state_of(request).settled.answer(key, stand, make)
    request.scope["state"]["rows"] = made.rows
    return made.response
