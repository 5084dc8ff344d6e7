"""The OpenAPI document of the application: what is served, committed, compared and linted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.document import answers as openapi_answers
from api.document import examples
from api.problems import KINDS, MEDIA_TYPE, PAGES, Kind, body
from api.schemas import estimate as schemas_estimate
from api.schemas import prices as schemas
from api.security.scopes import ROLES, SCOPES

PATH: Final = Path(__file__).parent.parent.parent / "openapi" / "openapi.json"
TAGS: Final = {
    "prices": "Latest prices, ticks, and the instruments that have them.",
    "bars": "Open, high, low, close, vwap and twap over 1 minute to 1 day.",
    "curves": "Forward curves: snapshots of sessions, now and as they were known.",
    "stream": "Live: `/v1/stream` as WebSocket and Server-Sent Events, which `/asyncapi.json` describes.",
    "spreads": "Differences of prices: which are defined, and what a value is made of.",
    "administration": "Reference data of your tenant, for administrators.",
    "caller": "The key that is sent.",
    "operation": "What operators and their tools ask; open, without a key.",
}
Node = dict[str, Any]
_OWN: Final[tuple[type[BaseModel], ...]] = (
    schemas.ProblemDocument,
    schemas.ProblemError,
    schemas_estimate.Estimate,
    schemas_estimate.Cost,
)
_DEFAULTS: Final = ("HTTPValidationError", "ValidationError")  # what FastAPI would answer, were it not for us
_LICENSE: Final = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
_SERVERS: Final = [{"url": "/", "description": "The server that gave this document"}]
_ID: Final = "3f1c9b0e5d5a4b6c8f0e7a2d4c6b8e10"
_SECONDS: Final = {"description": "Seconds after which to come again", "schema": {"type": "integer", "examples": [5]}}
_HEADERS: Final = {
    401: {"WWW-Authenticate": {"description": "Bearer", "schema": {"type": "string", "examples": ["Bearer"]}}},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}


def document(app: FastAPI) -> Node:
    """The OpenAPI 3.1 document of the application."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        license_info=_LICENSE,
        servers=_SERVERS,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    made["externalDocs"] = {"url": PAGES, "description": "What each error means and what to do"}
    _add_schemas(made["components"]["schemas"])
    _describe_scopes(made["components"]["securitySchemes"])
    problems = {status for operation in operations(made) for status in _finish(operation)}
    made["components"]["responses"] = {_name(status): _problem(status) for status in sorted(problems)}
    examples.add(made)
    for operation in operations(made):
        openapi_answers.add_estimate(operation)
    return made


def operations(made: Node) -> Iterator[Node]:
    """Every operation of a document."""
    for methods in made["paths"].values():
        yield from methods.values()


def encoded(made: Node) -> bytes:
    """The document as it is served and committed."""
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def _add_schemas(known: Node) -> None:
    """Puts in the schemas of problems for FastAPI's own."""
    for name in _DEFAULTS:
        known.pop(name, None)
    for model in _OWN:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        known[model.__name__] = schema
    ordered = sorted(known.items())
    known.clear()
    known.update(ordered)


def _describe_scopes(schemes: Node) -> None:
    """Says what the scopes are that operations name: of keys OpenAPI has no other place for that."""
    lines = (f"- `{scope}`: {what} ({', '.join(_roles(scope))})" for scope, what in SCOPES.items())
    text = "\n".join(("Scopes, with the roles whose keys have them:", "", *lines))
    for scheme in schemes.values():
        scheme["description"] += f"\n\n{text}"


def _roles(scope: str) -> Iterator[str]:
    return (role for role, scopes in ROLES.items() if scope in scopes)


def _finish(operation: Node) -> list[int]:
    """Says that an open operation is open, keeps null out of addresses, and leads to the problems that are described
    once for all: their statuses."""
    operation.setdefault("security", [])
    openapi_answers.add(operation)
    for parameter in operation.get("parameters", ()):
        _without_null(parameter)
    responses: Node = operation["responses"]
    problems = [int(status) for status, each in responses.items() if MEDIA_TYPE in each.get("content", {})]
    responses.update({str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in problems})
    return problems


def _without_null(parameter: Node) -> None:
    """A parameter is given or not: the null of its model cannot be written in an address."""
    schema = parameter["schema"]
    if meant := [each for each in schema.pop("anyOf", ()) if each.get("type") != "null"]:
        one = meant[0] if len(meant) == 1 else {"anyOf": meant}
        schema = parameter["schema"] = one | schema
    if "description" in schema:
        parameter["description"] = schema.pop("description")


def _name(status: int) -> str:
    return f"Problem{status}"


def _problem(status: int) -> Node:
    """The response of all problems of a status, with an example of each kind."""
    kinds: list[Kind] = [kind for kind, about in KINDS.items() if about.status == status]
    shown = {kind: {"summary": KINDS[kind].title, "value": body(kind, KINDS[kind].remedy, _ID)} for kind in kinds}
    content = {MEDIA_TYPE: {"schema": schemas.PROBLEM, "examples": shown}}
    headers = {"headers": _HEADERS[status]} if status in _HEADERS else {}
    return {"description": schemas.meaning(status), "content": content} | headers
