"""The application: routes, guard, problems and middleware put together."""

from functools import cache
from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, Response

from api import docs, openapi, problems
from api.middleware import Outermost
from api.routes import caller, coverage, curves, operation, prices, ranges, reference, spreads
from api.security.guard import require_guarded
from api.state import State

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
        prices.latest,
        prices.router,
        coverage.router,
        ranges.router,
        curves.router,
        spreads.router,
        reference.router,
        caller.router,
        operation.router,
    ):
        app.include_router(each)
    return app


def create_app(state: State) -> FastAPI:
    """The application over the given state. `DataProcessingError` where a route declares no scope."""
    app = make_routes()
    app.state.gridtick = state
    _describe(app)
    problems.install(app)
    require_guarded(app)
    app.add_middleware(Outermost, metrics=state.metrics)
    return app


def _describe(app: FastAPI) -> None:
    """Adds the routes of the document itself."""

    async def show_openapi() -> Response:
        return Response(_described()[0], media_type="application/json")

    async def show_docs() -> Response:
        return HTMLResponse(_described()[1])

    app.add_api_route("/openapi.json", show_openapi, include_in_schema=False, response_model=None)
    app.add_api_route("/docs", show_docs, include_in_schema=False, response_model=None)


@cache
def _described() -> tuple[bytes, str]:
    """The document and its page; made once, when first asked for: they do not change while the process runs."""
    made = openapi.document(make_routes())
    return openapi.encoded(made), docs.page(made)


def _operation_id(route: APIRoute) -> str:
    """The name of the route's function: stable while paths move."""
    return route.name
