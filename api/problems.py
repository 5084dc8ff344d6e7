"""Errors as RFC 9457 problem+json: one shape for everything that is no success."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_SHOWN: Final = 80  # characters of a refused value that are repeated to the caller


class Problem(Exception):
    """An answer that is no success. `kind` names it for programs, `detail` says what to do next."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def invalid(parameter: str, detail: str) -> Problem:
    """422 for one parameter."""
    return Problem(422, "invalid-parameter", f"{parameter}: {detail}", [{"parameter": parameter, "detail": detail}])


def not_found(detail: str) -> Problem:
    return Problem(404, "not-found", detail)


def answer(problem: Problem, request_id: str) -> Response:
    """The response of a problem."""
    body = {
        "type": f"urn:gridtick:problem:{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id,
        "errors": problem.errors,
    }
    content = msgspec.json.encode(body)
    return Response(content, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turns every exception of routing, validation and routes into a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error, request.state.request_id)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        problem = Problem(404, "not-found", "There is no such route. /docs lists them.")
    elif error.status_code == 405:
        allowed = _with_head((error.headers or {}).get("Allow", "GET"))
        problem = Problem(405, "method-not-allowed", f"This route answers {allowed}.", headers={"Allow": allowed})
    else:
        problem = Problem(error.status_code, "refused", str(error.detail), headers=error.headers)
    return answer(problem, request.state.request_id)


def _with_head(allowed: str) -> str:
    """The methods of a route, with HEAD where GET is: every GET is answered to HEAD too."""
    return ", ".join("GET, HEAD" if each == "GET" else each for each in allowed.split(", "))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_described(each) for each in error.errors()]
    detail = "; ".join(f"{each['parameter']}: {each['detail']}" for each in errors)
    return answer(Problem(422, "invalid-parameter", detail, errors), request.state.request_id)


def _described(error: Mapping[str, object]) -> dict[str, str]:
    place = error["loc"]
    assert isinstance(place, tuple | list)
    parameter = ".".join(str(part) for part in place if part not in {"query", "path"}) or "query"
    if error["type"] == "extra_forbidden":  # its value may be a key that went astray: not repeated
        return {"parameter": parameter, "detail": "is no parameter of this route. /docs lists them."}
    if error["type"] == "missing":
        return {"parameter": parameter, "detail": "is needed."}
    message = str(error["msg"]).removeprefix("Value error, ")
    return {"parameter": parameter, "detail": message, "value": str(error.get("input"))[:_SHOWN]}
