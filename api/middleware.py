"""Around every request: an id, a body limit, HEAD, security headers, metrics, and an answer whatever breaks."""

import logging
import re
import time
from typing import Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, answer
from service.metrics import Metrics

log = logging.getLogger(__name__)

BODY_BYTES: Final = 64 * 1024
TABLE_BYTES: Final = 4 * 1024 * 1024  # of a table of the reference
_TABLES: Final = "/v1/admin/reference/"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class Outermost:
    """The ASGI middleware of the API."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(_as_get(scope), receive, send, bodiless=scope["method"] == "HEAD")
        began = time.perf_counter()
        self._enter(1)
        try:
            await self._answered(exchange)
        finally:
            self._enter(-1)
            self._measure(scope["method"], exchange, time.perf_counter() - began)

    async def _answered(self, exchange: "_Exchange") -> None:
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

    def _measure(self, sent: str, exchange: "_Exchange", seconds: float) -> None:
        # The pattern of the route, never the path: a label must not grow with what callers make up.
        route = str(getattr(exchange.scope.get("route"), "path", "none"))
        method = sent if route != "none" else "any"
        self._metrics.count("http_requests", method=method, route=route, status=str(exchange.status))
        self._metrics.observe("http_request_seconds", seconds, route=route)


class _Exchange:
    """One request and its answer; `bodiless`: the answer's body is not sent."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, bodiless: bool) -> None:
        self.scope = scope
        self.id = _request_id(Headers(scope=scope))
        self.status = 500
        self._receive = receive
        self._send = send
        self._bodiless = bodiless
        self._started = False
        self._received = 0
        self._most = TABLE_BYTES if str(scope["path"]).startswith(_TABLES) else BODY_BYTES
        scope.setdefault("state", {})["request_id"] = self.id

    def refuse_large_body(self) -> None:
        declared = Headers(scope=self.scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > self._most:
            raise _too_large(self._most)

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._most:
            raise _too_large(self._most)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        elif self._bodiless:
            message = {**message, "body": b""}
        await self._send(message)

    async def fail(self, problem: Problem) -> None:
        """Answers with the problem, unless an answer is under way already."""
        if not self._started:
            await answer(problem, self.id)(self.scope, self._receive, self.send)


def _as_get(scope: Scope) -> Scope:
    """HEAD is answered as GET is, so that its headers are the same; what serves the request keeps its own scope."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


def _too_large(most: int) -> Problem:
    return Problem(413, "too-large", f"This request has at most {most} bytes.")


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id")
    return given if given and _REQUEST_ID.fullmatch(given) else uuid4().hex
