"""Around every request: metrics, what counts against limits, and an answer whatever breaks."""

import logging
import time

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import Problem
from api.state import State
from api.wire.exchange import Exchange
from api.wire.shortcut import Shortcut
from service import clock

log = logging.getLogger(__name__)


class Outermost:
    """The ASGI middleware of the API."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._metrics = state.metrics
        self._accounts = state.accounts
        self._shortcut = Shortcut(state)
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange, began = Exchange(scope, receive, send), time.perf_counter()
        if (found := self._shortcut.find(scope)) is not None:
            exchange.scope["state"].update(caller=found.caller, rows=found.rows)
            await exchange.reply(found.status, found.headers, found.body)
            self._over(exchange, "GET", found.route, began)
            return
        self._enter(1)
        try:
            await self._answered(exchange)
        finally:
            self._enter(-1)
            # The pattern of the route, never the path: a label must not grow with what callers make up.
            route = str(getattr(exchange.scope.get("route"), "path", "none"))
            self._over(exchange, scope["method"] if route != "none" else "any", route, began)

    async def _answered(self, exchange: Exchange) -> None:
        try:
            exchange.refuse_large_body()
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Problem as problem:
            await exchange.fail(problem)
        except Exception:
            log.exception("request failed", extra={"request_id": exchange.id, "path": exchange.scope["path"]})
            await exchange.fail(Problem(500, "internal", "Something broke here. Quote the request id."))

    def _enter(self, step: int) -> None:
        self._in_flight += step
        self._metrics.set("http_in_flight", self._in_flight)

    def _over(self, exchange: Exchange, method: str, route: str, began: float) -> None:
        """Counts an answer, for the metrics, and of a good key for its limits."""
        of_request = exchange.scope["state"]
        if (caller := of_request.get("caller")) is not None:
            self._accounts.answered(caller, of_request.get("rows", 0), clock.now())
        self._metrics.count("http_requests", method=method, route=route, status=str(exchange.status))
        self._metrics.observe("http_request_seconds", time.perf_counter() - began, route=route)
