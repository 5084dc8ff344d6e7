"""The markets that there are."""

from asyncio import to_thread
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import answers
from api.markets import markets, table
from api.query import Formatted
from api.routes.common import ONCE, PriceReader
from api.schemas import markets as schemas_markets
from api.schemas import prices as schemas
from api.state import state_of
from api.wire.caching import Cached
from db.reference.snapshot import INSTRUMENTS

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["prices"], route_class=Cached)


@router.get("/markets", response_model=None, responses={200: {"model": schemas_markets.Markets}, **schemas.READ})
async def list_markets(request: Request, caller: PriceReader, ask: Annotated[Formatted, Query()]) -> Response:
    """Markets in order of their name, each with its products: how often prices come, when they are expected, the finest
    bar, and how many instruments of it you may see."""
    visible = await answers.visible(request, caller, ask)
    snapshot = await state_of(request).reads.snapshot()
    every = await to_thread(markets, snapshot.tables[INSTRUMENTS], visible)
    held = answers.position(request, caller, ask)
    some = [each for each in every if held is None or each["market"] > held[0]][: ask.limit + 1]
    going_on = [some[ask.limit - 1]["market"]] if len(some) > ask.limit else None
    return answers.listed_objects(request, caller, ask, some[: ask.limit], table, going_on)
