"""Who calls."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from api import schemas
from api.query import NoQuery
from api.routes.common import ONCE, Caller

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["caller"])


@router.get("/me", response_model=None, responses={200: {"model": schemas.Me}, **schemas.problems(401, 422, 503)})
async def show_me(caller: Caller, _: Annotated[NoQuery, Query()]) -> Response:
    """The key that was sent: whose it is and what it may do."""
    body = {
        "key_id": caller.key_id,
        "name": caller.name,
        "tenant": caller.tenant,
        "readable_tenants": caller.readable,
        "role": caller.role,
        "scopes": sorted(caller.scopes),
        "expires_at": caller.expires_at,
    }
    return Response(msgspec.json.encode(body), media_type="application/json")
