"""Answers of closed ranges that were asked for before, to whoever may have them."""

from datetime import datetime

from fastapi import Request
from starlette.responses import Response

from api.formats.negotiation import accepted
from api.ranges.settled import Key, Make, Stand
from api.security.principal import Principal
from api.state import state_of
from api.wire.tags import query_of


async def answer(
    request: Request, caller: Principal, version: int, start: datetime, stand: Stand, make: Make
) -> Response:
    """As `Settled.answer`. `version`: of the reference, as it was known before anything was read. That the caller may
    see it has been looked at; its rows count as those of any answer."""
    key = Key(query_of(request.scope, accepted(request).encode()), caller.whose, version, start)
    made = await state_of(request).settled.answer(key, stand, make)
    request.scope["state"]["rows"] = made.rows
    return made.response
