"""Posts of administration that are sent again, and how their answers say so."""

import re
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.problems import invalid
from api.security.principal import Principal
from db.postgres.changes import Performed
from db.postgres.idempotency import Once, once

NAME: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_SHAPE: Final = re.compile(r"[!-~]{8,128}", re.ASCII)


def name_of(
    request: Request,
    _: Annotated[
        str | None,
        Header(
            alias=NAME,
            description="8 to 128 visible ASCII characters, e.g. a UUID. The same post under the same key of the same "
            "tenant is done once in 24 hours and gets the first answer again",
        ),
    ] = None,
) -> str | None:
    """The Idempotency-Key of the request. Raises a 422 problem where it is none, or where there are several."""
    given = request.headers.getlist(NAME)
    if not given:
        return None
    if len(given) > 1:
        raise invalid(NAME, "is given more than once.")
    if not _SHAPE.fullmatch(given[0]):
        raise invalid(NAME, "takes 8 to 128 visible ASCII characters, without blanks. Send a new UUID.")
    return given[0]


Named: TypeAlias = Annotated[str | None, Depends(name_of)]


def once_of(request: Request, caller: Principal, name: str | None, body: BaseModel | None = None) -> Once | None:
    """The post, where it is to be done once: the same one has the same route and asks for the same."""
    if name is None:
        return None
    asked = "" if body is None else body.model_dump_json()
    return once(caller.tenant, name, f"{request.method} {request.url.path}\n{asked}".encode())


def answer(done: Performed, body: dict[str, Any] | None = None, status: int = 200) -> Response:
    """The answer of a change; `body` where it is more than what is kept."""
    headers = {REPLAYED: "true"} if done.replayed else {}
    content = msgspec.json.encode(done.answer if body is None else body)
    return Response(content, status, headers=headers, media_type="application/json")
