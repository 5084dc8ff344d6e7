"""Errors as RFC 9457 problem+json: one shape for everything that is no success, and the register of their kinds."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

MEDIA_TYPE: Final = "application/problem+json"
PAGES: Final = "/docs/errors"  # of the kinds, which `type` leads to
_PLACES: Final = frozenset({"query", "path", "header", "body"})  # of a request, where a parameter may stand
_SHOWN: Final = 80  # characters of a refused value that are repeated to the caller


# A new kind is one line here, one in `KINDS`, and its page `api/site/errors/{kind}.md`.
Kind = Literal[
    "bad-request",
    "body-too-slow",
    "history-limit",
    "idempotency-in-progress",
    "idempotency-mismatch",
    "internal",
    "invalid-parameter",
    "invalid-reference",
    "key-ended",
    "method-not-allowed",
    "not-acceptable",
    "not-found",
    "origin-refused",
    "operator-only",
    "public-tenant",
    "rate-limited",
    "rows-exhausted",
    "scope-missing",
    "store-away",
    "tenant-exists",
    "tenant-inactive",
    "too-large",
    "too-many-streams",
    "unauthorized",
    "unsupported-media-type",
]


class About(NamedTuple):
    """What is the same of every problem of a kind: its status, its title, and what the caller does about it."""

    status: int
    title: str
    remedy: str


KINDS: Final[Mapping[Kind, About]] = {
    "bad-request": About(400, "Bad request", "Send well-formed HTTP/1.1."),
    "body-too-slow": About(408, "Body too slow", "Send the body again, in one go."),
    "history-limit": About(403, "Before your history", "Ask for a later instant, or the operator for more history."),
    "idempotency-in-progress": About(409, "Request in progress", "Send the same request again in a second."),
    "idempotency-mismatch": About(422, "Idempotency-Key used before", "Take a new one for each new request."),
    "internal": About(500, "Internal error", "Try again; if it stays so, report the `request_id`."),
    "invalid-parameter": About(422, "Invalid parameter", "Change the parameters that `errors` names."),
    "invalid-reference": About(422, "Invalid reference data", "Mend the lines that `errors` names and load all again."),
    "key-ended": About(409, "Key has ended", "Make a new key instead."),
    "method-not-allowed": About(405, "Method not allowed", "Use one of the methods in `Allow`."),
    "not-acceptable": About(406, "Not acceptable", "Name a format in `Accept` that `detail` lists, or give `format`."),
    "not-found": About(404, "Not found", "Look the name up in the list that `detail` names."),
    "operator-only": About(403, "For the operator only", "Ask the operator of this installation."),
    "public-tenant": About(409, "The public tenant", "Use another tenant, or change what `detail` allows."),
    "origin-refused": About(403, "Origin refused", "Let the operator name the page in DATA_PROC_API_CORS_ORIGINS."),
    "rate-limited": About(
        429, "Too many requests", "Come again after `Retry-After` seconds; ask for many instruments in one."
    ),
    "rows-exhausted": About(429, "Too many rows today", "Ask for fewer rows, or come again after midnight UTC."),
    "scope-missing": About(403, "Scope missing", "Use a key whose role has the scope that `detail` names."),
    "store-away": About(503, "Store away", "Come again after `Retry-After` seconds."),
    "tenant-exists": About(409, "Tenant exists", "Take another id."),
    "tenant-inactive": About(409, "Tenant suspended or erased", "Resume the tenant, or use another one."),
    "too-large": About(413, "Request too large", "Send less at a time."),
    "too-many-streams": About(503, "Too many streams", "Come again after `Retry-After` seconds, or ask for pages."),
    "unauthorized": About(401, "Unauthorized", "Send one good key, in `Authorization: Bearer` or `X-API-Key`."),
    "unsupported-media-type": About(415, "Unsupported media type", "Send the `Content-Type` that `detail` names."),
}


class Problem(Exception):
    """An answer that is no success. `kind` names it for programs, `detail` says what to do next."""

    def __init__(
        self,
        status: int,
        kind: Kind,
        detail: str,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind: Kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def invalid(parameter: str, detail: str) -> Problem:
    """422 for one parameter."""
    return Problem(422, "invalid-parameter", f"{parameter}: {detail}", [{"parameter": parameter, "detail": detail}])


def not_found(detail: str) -> Problem:
    return Problem(404, "not-found", detail)


def body(kind: Kind, detail: str, request_id: str, errors: Sequence[Mapping[str, str]] = ()) -> dict[str, object]:
    """The fields of RFC 9457, and ours."""
    about = KINDS[kind]
    told = {"type": f"{PAGES}/{kind}", "title": about.title, "status": about.status, "detail": _sendable(detail)}
    shown = [{name: _sendable(each) for name, each in error.items()} for error in errors]
    return {**told, "request_id": request_id, "errors": shown}


def _sendable(text: str) -> str:
    """A text that may repeat what was sent: halves of surrogate pairs, which JSON can write and UTF-8 cannot, as ?."""
    return text.encode(errors="replace").decode()


def answer(problem: Problem, request_id: str) -> Response:
    """The response of a problem."""
    content = msgspec.json.encode(body(problem.kind, problem.detail, request_id, problem.errors))
    return Response(content, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turns every exception of routing, validation and routes into a problem, and a WebSocket where there is none."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.router.default = _no_socket(app.router.default)


def _no_socket(other: ASGIApp) -> ASGIApp:
    async def default(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await other(scope, receive, send)
            return
        problem = Problem(404, "not-found", "There is no live stream here. It is at /v1/stream.")
        await WebSocket(scope, receive, send).send_denial_response(answer(problem, secrets.token_hex(16)))

    return default


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error, request.state.request_id)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        problem = Problem(404, "not-found", "There is no such route. /docs lists them.")
    elif error.status_code == 405:
        allowed = _allowed(request)
        problem = Problem(405, "method-not-allowed", f"This route answers {allowed}.", headers={"Allow": allowed})
    elif error.status_code == 400:  # FastAPI's, of a body that it cannot decode
        problem = invalid("body", "is no JSON in UTF-8. Send an object, e.g. {}.")
    else:  # nothing raises others; one that did would have no kind
        raise error
    return answer(problem, request.state.request_id)


def _allowed(request: Request) -> str:
    """The methods of the path, with HEAD where GET is: every GET is answered to HEAD too."""
    there = [each for each in iter_route_contexts(request.app.routes) if each.path_regex.match(request.scope["path"])]
    methods = {method for each in there if each.path == there[0].path for method in each.methods or ()}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_described(each) for each in error.errors()]
    detail = "; ".join(f"{each['parameter']}: {each['detail']}" for each in errors)
    return answer(Problem(422, "invalid-parameter", detail, errors), request.state.request_id)


def _described(error: Mapping[str, object]) -> dict[str, str]:
    place = error["loc"]
    assert isinstance(place, tuple | list)
    parameter = ".".join(str(part) for part in place if part not in _PLACES) or str(place[0])
    if error["type"] == "extra_forbidden":  # its value may be a key that went astray: not repeated
        return {"parameter": parameter, "detail": "is no parameter of this route. /docs lists them."}
    if error["type"] == "json_invalid":  # its place counts letters
        return {"parameter": "body", "detail": "is no JSON. Send an object, e.g. {}."}
    if error["type"] == "missing":
        return {"parameter": parameter, "detail": "is needed."}
    message = str(error["msg"]).removeprefix("Value error, ")
    return {"parameter": parameter, "detail": message, "value": str(error.get("input"))[:_SHOWN]}
