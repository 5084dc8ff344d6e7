"""One request and its answer: an id, a bounded body in bounded time, HEAD, security headers."""

import asyncio
import os
import re
from collections.abc import Mapping
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from api.problems import Problem, answer

BODY_BYTES: Final = 64 * 1024
TABLE_BYTES: Final = 4 * 1024 * 1024  # of a table of the reference
BODY_SECONDS: Final = 30.0  # for all of it
_TABLES: Final = "/v1/admin/reference/"
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_YEAR_S: Final = 31_536_000
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_TLS: Final = _HEADERS | {"Strict-Transport-Security": f"max-age={_YEAR_S}"}
Header = tuple[bytes, bytes]


def _raw(headers: Mapping[str, str]) -> list[Header]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_RAW: Final = _raw(_HEADERS)
_RAW_TLS: Final = _raw(_TLS)


class Exchange:
    """What the application is handed instead of the server's own."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = _as_get(scope)
        self.id = _request_id(_sent(scope, b"x-request-id"))
        self.status = 500
        self._receive = receive
        self._send = send
        self._bodiless = scope["method"] == "HEAD"
        self._started = False
        self._received = 0
        self._complete = False
        self._late = 0.0
        self._own = _RAW_TLS if scope.get("scheme") == "https" else _RAW
        self._most = TABLE_BYTES if str(scope["path"]).startswith(_TABLES) else BODY_BYTES
        self.scope.setdefault("state", {}).update(request_id=self.id, bodiless=self._bodiless)

    def refuse_large_body(self) -> None:
        declared = _sent(self.scope, b"content-length")
        if declared.isdigit() and int(declared) > self._most:
            raise _too_large(self._most)

    async def receive(self) -> Message:
        message = await self._receive() if self._complete else await self._part()
        self._received += len(message.get("body", b""))
        if self._received > self._most:
            raise _too_large(self._most)
        return message

    async def _part(self) -> Message:
        """A part of the body. All of them together have `BODY_SECONDS`."""
        loop = asyncio.get_running_loop()
        self._late = self._late or loop.time() + BODY_SECONDS
        try:
            async with asyncio.timeout_at(self._late):
                message = await self._receive()
        except TimeoutError:
            detail = f"The body did not come within {BODY_SECONDS:.0f} seconds. Send it again."
            raise Problem(408, "body-too-slow", detail, headers={"Connection": "close"}) from None
        self._complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            more = _raw(self.scope["state"].get("headers", {}))
            message = self._begun(message["status"], [*message.get("headers", ()), *more])
        elif self._bodiless:
            message = {**message, "body": b""}
        await self._send(message)

    async def reply(self, status: int, headers: list[Header], body: bytes) -> None:
        """Answers at once."""
        if status != 304:
            headers.append((b"content-length", str(len(body)).encode()))
        await self._send(self._begun(status, headers))
        await self._send({"type": "http.response.body", "body": body})

    def _begun(self, status: int, headers: list[Header]) -> Message:
        """The head of the answer: these headers (in lower case), and those of every answer that are not among them."""
        self._started, self.status = True, status
        given = {name for name, _ in headers}
        own = [each for each in self._own if each[0] not in given]
        every = [*headers, *own, (b"x-request-id", self.id.encode())]
        return {"type": "http.response.start", "status": status, "headers": every}

    async def fail(self, problem: Problem) -> None:
        """Answers with the problem, unless an answer is under way already."""
        if not self._started:
            await answer(problem, self.id)(self.scope, self._receive, self.send)


def _as_get(scope: Scope) -> Scope:
    """HEAD is answered as GET is, so that its headers are the same; what serves the request keeps its own scope."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


def _too_large(most: int) -> Problem:
    return Problem(413, "too-large", f"This request has at most {most} bytes.")


def _sent(scope: Scope, name: bytes) -> bytes:
    """The first header of that name, empty where there is none."""
    return next((value for each, value in scope["headers"] if each == name), b"")


def _request_id(sent: bytes) -> str:
    return sent.decode() if _REQUEST_ID.fullmatch(sent) else os.urandom(16).hex()
