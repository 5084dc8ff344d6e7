"""The one guard: a route declares its scope through it; an application where one does not cannot start."""

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Annotated, Any, Final

from fastapi import FastAPI, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts
from fastapi.security import APIKeyHeader, HTTPBearer, SecurityScopes
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.responses import Response

from api.problems import Problem
from api.security.audit import denied
from api.security.principal import Principal
from api.security.scopes import READS
from api.state import state_of
from pipeline.errors import DataProcessingError
from service import clock

_DOCS: Final = {"/docs", "/docs/reference", "/docs/errors", "/docs/errors/{kind}", "/docs/assets/{name}"}
_PAGES: Final = {"/", "/live/{version}/{name}", *_DOCS}
OPEN: Final = frozenset({"/healthz", "/readyz", "/metrics", "/v1/status", "/openapi.json", "/asyncapi.json", *_PAGES})
SOCKETS: Final = frozenset({"/v1/stream"})  # WebSockets, which ask for a key in their own way
ANY_KEY: Final = frozenset({"/v1/me", "/v1/usage"})  # a good key is enough

# For the document: both read the first header of its name alone, so `given` reads them all.
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
    """The caller, who has all the needed scopes; else a problem. A request is counted once, however often it asks."""
    of_request = request.scope["state"]
    principal: Principal | None = of_request.get("caller")
    if principal is None:
        principal = of_request["caller"] = await _identified(request)
        of_request["headers"] = state_of(request).accounts.take(principal, clock.now())
    missing = [scope for scope in needed if scope not in principal.scopes]
    if missing:
        _refuse(request, "scope", principal, asked=missing[0])
        raise Problem(403, "scope-missing", f"This key lacks the scope {missing[0]}.")
    if READS.intersection(needed):
        state_of(request).accounts.require_rows(principal, clock.now())
    return principal


async def _identified(request: Request) -> Principal:
    """Whose good key was sent; else 401."""
    sent = given(request.headers)
    if len(sent) != 1:
        _refuse(request, "several" if sent else "none", sent=sent)
        raise unauthorized("Send one API key, in Authorization: Bearer or in X-API-Key.")
    principal = await state_of(request).principals.of(*sent)
    if principal is None:
        _refuse(request, "unknown", sent=sent)
        raise unauthorized("This API key is malformed, unknown, expired or revoked.")
    return principal


def _refuse(
    request: Request, reason: str, caller: Principal | None = None, *, sent: Collection[str] = (), asked: str = ""
) -> None:
    """Counts and notes a request that is refused."""
    state_of(request).metrics.count("auth_refusals", reason=reason)
    denied(request, reason, caller, sent=sent, asked=asked)


def given(headers: Headers) -> set[str]:
    """The different keys that were sent, over all headers that may hold one."""
    sent = [get_authorization_scheme_param(each) for each in headers.getlist("Authorization")]
    bearers = [key for scheme, key in sent if scheme.lower() == "bearer"]
    return {each for each in (*bearers, *headers.getlist("X-API-Key")) if each}


class Guarded(APIRoute):
    """A route whose caller is known before its parameters and its body are read: without a good key nothing is told of
    them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        read, scopes = super().get_route_handler(), declared(self.dependant)
        if scopes is None:
            return read

        async def handle(request: Request) -> Response:
            await admitted(request, scopes)
            return await read(request)

        return handle


def require_guarded(app: FastAPI) -> None:
    """Raises for a route that is neither open nor guarded with a scope: nothing is served by oversight."""
    for route in iter_route_contexts(app.routes):
        asks_itself = isinstance(route.original_route, APIWebSocketRoute) and route.path in SOCKETS
        if route.path not in OPEN and not asks_itself and not _is_guarded(route):
            fix = "Depend on `guard` with one, in a router of `Guarded` routes."
            raise DataProcessingError(f"the route {route.path} declares no scope before it is read. {fix}", "api")


def _is_guarded(route: RouteContext) -> bool:
    if not isinstance(route.original_route, Guarded):
        return False
    scopes = declared(route.dependant)
    return scopes is not None and (bool(scopes) or route.path in ANY_KEY)


def declared(dependant: Dependant) -> list[str] | None:
    """The scopes that the guard of a route asks for; None where it has no guard."""
    for each in dependant.dependencies:
        if each.call is guard:
            return [*(each.parent_oauth_scopes or []), *(each.own_oauth_scopes or [])]
        if (inner := declared(each)) is not None:
            return inner
    return None


def unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
