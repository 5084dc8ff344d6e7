"""The application: routes, guard, problems and middleware put together."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response

from api import problems
from api.document import asyncapi, docs, live, openapi
from api.routes import (
    audit,
    bars,
    caller,
    changes,
    coverage,
    curves,
    dead_letters,
    explain,
    keys,
    markets,
    operation,
    prices,
    reference,
    spreads,
    status,
    stream,
    tenants,
    ticks,
)
from api.security import audit as audited
from api.security.guard import require_guarded
from api.state import State
from api.wire.compression import Compression
from api.wire.cors import Cors
from api.wire.middleware import Outermost

TITLE: Final = "Gridtick"
VERSION: Final = "0.1.0"
DESCRIPTION: Final = """Exact ticks, bars, latest prices, forward curves and spreads of US power and gas markets.

Send your key in `Authorization: Bearer` or `X-API-Key`; two different keys are refused. Ranges are [start, end);
instants are those of RFC 3339: they need an offset (`2026-07-01T00:00:00Z`) and have at most 6 decimals, seconds may
be left out. Prices are JSON numbers with all their digits. A list holds `data`, `next` and `query`; send `next` back
as `cursor` for what follows, or follow `Link`. With `as_of` prices and bars are those that were known at an instant,
and `complete` says whether that can still change. HEAD is answered as GET, without its body. Errors are problem+json
(RFC 9457).

    curl -H "X-API-Key: $GRIDTICK_API_KEY" "http://127.0.0.1:8080/v1/prices/latest?instrument=NG_HH_BALMO"
"""


def make_routes() -> FastAPI:
    """The routes alone: enough to describe, not to answer."""
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    for each in (
        markets.router,
        prices.latest,
        prices.router,
        coverage.router,
        ticks.router,
        bars.router,
        explain.router,
        curves.router,
        spreads.router,
        reference.router,
        keys.router,
        tenants.router,
        audit.router,
        dead_letters.router,
        caller.router,
        operation.router,
        status.router,
        stream.router,
        changes.router,
    ):
        app.include_router(each)
    return app


def create_app(state: State, origins: Sequence[str] = ()) -> FastAPI:
    """The application over the given state, which pages of these origins may call. `DataProcessingError` where a route
    declares no scope."""
    app = make_routes()
    app.state.gridtick = state
    _describe(app)
    problems.install(app)
    audited.install(app)
    require_guarded(app)
    app.add_middleware(Compression)
    if origins:
        app.add_middleware(Cors, origins=origins)
    app.add_middleware(Outermost, state=state)
    return app


def _describe(app: FastAPI) -> None:
    """Adds the routes of the document itself and of the pages."""

    async def show_openapi() -> Response:
        return Response(_described(), media_type="application/json")

    async def show_asyncapi() -> Response:
        return Response(asyncapi.served(VERSION), media_type="application/json")

    app.add_api_route("/openapi.json", show_openapi, include_in_schema=False, response_model=None)
    app.add_api_route("/asyncapi.json", show_asyncapi, include_in_schema=False, response_model=None)
    app.include_router(docs.router)
    app.include_router(live.router)


@cache
def _described() -> bytes:
    """The document; made once, when first asked for: it does not change while the process runs."""
    return openapi.encoded(openapi.document(make_routes()))


def _operation_id(route: APIRoute) -> str:
    """The name of the route's function: stable while paths move."""
    return route.name
