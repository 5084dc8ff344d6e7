"""What anybody may ask: how fresh the public prices are, and how far intake is."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.query import NoQuery
from api.routes.common import ONCE
from api.schemas import prices as schemas
from api.schemas import status as schemas_status
from api.state import state_of

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["operation"])
_CACHED: Final = {"Cache-Control": "public, max-age=2"}


@router.get(
    "/status",
    response_model=None,
    responses={200: {"model": schemas_status.Status}, **schemas.problems(422, 503)},
)
async def show_status(request: Request, _: Annotated[NoQuery, Query()]) -> Response:
    """Of every public market and product the newest interval, when it was known and could be queried, whether its
    prices are live, late or stale and since when, and when the next is expected; and how far intake is behind.

    No key is needed. It is worked out at most once in 2 seconds; while a store does not answer the last answer is
    given, with `stale` and its age.
    """
    shown = await state_of(request).board.read()
    age, stale = max(0, round(shown.age_s, 3)), "true" if shown.stale else "false"
    head = f'{{"age_seconds":{age},"stale":{stale},'.encode()
    return Response(b"".join((head, shown.text, b"}")), media_type="application/json", headers=_CACHED)
