"""The one guard: a route declares its scope through it; an application where one does not cannot start."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import FastAPI, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from fastapi.security import APIKeyHeader, HTTPBearer, SecurityScopes
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers

from api.problems import Problem
from api.security.principal import Principal
from api.state import state_of
from pipeline.errors import DataProcessingError

OPEN: Final = frozenset({"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"})
ANY_KEY: Final = frozenset({"/v1/me"})  # a good key is enough

# For the document: both read the first header of its name alone, so `_given` reads them all.
_BEARER: Final = HTTPBearer(auto_error=False, scheme_name="bearer", description="`Authorization: Bearer gt_live_…`")
_HEADER: Final = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="header", description="the same key")


async def guard(
    request: Request,
    needed: SecurityScopes,
    _bearer: Annotated[object, Security(_BEARER)],
    _header: Annotated[object, Security(_HEADER)],
) -> Principal:
    """The caller. 401 without a good key or with several, 403 where it lacks the scope of the route."""
    return await admitted(request, needed.scopes)


async def admitted(request: Request, needed: Sequence[str]) -> Principal:
    """The caller, who has all the needed scopes; else a problem."""
    state = state_of(request)
    given = _given(request.headers)
    if len(given) != 1:
        state.metrics.count("auth_refusals", reason="none" if not given else "several")
        raise _unauthorized("Send one API key, in Authorization: Bearer or in X-API-Key.")
    principal = await state.principals.of(given.pop())
    if principal is None:
        state.metrics.count("auth_refusals", reason="unknown")
        raise _unauthorized("This API key is malformed, unknown, expired or revoked.")
    missing = [scope for scope in needed if scope not in principal.scopes]
    if missing:
        state.metrics.count("auth_refusals", reason="scope")
        raise Problem(403, "scope-missing", f"This key lacks the scope {missing[0]}.")
    return principal


def _given(headers: Headers) -> set[str]:
    """The different keys that were sent, over all headers that may hold one."""
    sent = [get_authorization_scheme_param(each) for each in headers.getlist("Authorization")]
    bearers = [key for scheme, key in sent if scheme.lower() == "bearer"]
    return {each for each in (*bearers, *headers.getlist("X-API-Key")) if each}


def require_guarded(app: FastAPI) -> None:
    """Raises for a route that is neither open nor guarded with a scope: nothing is served by oversight."""
    for route in iter_route_contexts(app.routes):
        if route.path not in OPEN and not _is_guarded(route):
            raise DataProcessingError(f"the route {route.path} declares no scope. Depend on `guard` with one.", "api")


def _is_guarded(route: RouteContext) -> bool:
    if not isinstance(route.original_route, APIRoute):
        return False
    scopes = _declared(route.dependant)
    return scopes is not None and (bool(scopes) or route.path in ANY_KEY)


def _declared(dependant: Dependant) -> list[str] | None:
    """The scopes that the guard of a route asks for; None where it has no guard."""
    for each in dependant.dependencies:
        if each.call is guard:
            return [*(each.parent_oauth_scopes or []), *(each.own_oauth_scopes or [])]
        if (inner := _declared(each)) is not None:
            return inner
    return None


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
