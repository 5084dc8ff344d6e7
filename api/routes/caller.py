"""Who calls, and how much was asked for."""

from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.query import NoQuery
from api.routes.common import ONCE, Caller
from api.schemas import caller as schemas_caller
from api.schemas import prices as schemas
from api.security.guard import Guarded
from api.security.principal import Principal
from api.security.scopes import KEYS
from api.state import state_of
from service import clock

router: Final = APIRouter(prefix="/v1", dependencies=[ONCE], tags=["caller"], route_class=Guarded)
DAYS: Final = 31


@router.get(
    "/me", response_model=None, responses={200: {"model": schemas_caller.Me}, **schemas.problems(401, 422, 429, 503)}
)
async def show_me(request: Request, caller: Caller, _: Annotated[NoQuery, Query()]) -> Response:
    """The key that was sent: whose it is, what it may do, and what its tenant sees of the public prices."""
    body = {
        "key_id": caller.key_id,
        "name": caller.name,
        "tenant": caller.tenant,
        "readable_tenants": caller.readable,
        "role": caller.role,
        "scopes": sorted(caller.scopes),
        "expires_at": caller.expires_at,
        "entitlements": _entitlements(caller),
        "limits": _limits(request, caller),
    }
    return Response(msgspec.json.encode(body), media_type="application/json")


@router.get(
    "/usage",
    response_model=None,
    responses={200: {"model": schemas_caller.Usage}, **schemas.problems(401, 422, 429, 503)},
)
async def show_usage(request: Request, caller: Caller, _: Annotated[NoQuery, Query()]) -> Response:
    """What your tenant has asked for today and in the 30 days before (UTC), some seconds ago; by key for those with
    the scope `keys:admin`, else of your key beside the whole."""
    today = clock.now().date()
    used = await state_of(request).reads.usage(caller.tenant, today - timedelta(days=DAYS - 1))
    days: dict[str, dict[str, Any]] = {}
    for whose, count in used:
        day = days.setdefault(str(whose.day), {"day": whose.day, "requests": 0, "rows": 0, "keys": []})
        day["requests"] += count.requests
        day["rows"] += count.rows
        if KEYS in caller.scopes or whose.key_id == caller.key_id:
            day["keys"].append({"key_id": whose.key_id, **count._asdict()})
    left = state_of(request).accounts.rows_left(caller, clock.now())
    body = {"tenant": caller.tenant, "limits": _limits(request, caller), "rows_left": left, "days": list(days.values())}
    return Response(msgspec.json.encode(body), media_type="application/json")


def _limits(request: Request, caller: Principal) -> dict[str, int]:
    quotas = state_of(request).accounts.quotas(caller)
    return {
        "key_requests_per_minute": quotas.key,
        "tenant_requests_per_minute": quotas.tenant,
        "tenant_rows_per_day": quotas.rows,
    }


def _entitlements(caller: Principal) -> dict[str, object]:
    """null: no bound."""
    of = caller.entitled
    return {
        "markets": None if of.markets is None else sorted(of.markets),
        "products": None if of.products is None else sorted(of.products),
        "history_days": None if of.history is None else of.history.days,
    }
