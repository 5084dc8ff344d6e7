"""What a client may keep of an answer, and whether what it kept is still right.

A strong entity tag tells the bytes of an answer. Of one that can never change (a complete `as_of`) the tag is
remembered, so that whoever sends it back is told so without anything being read again; the key is asked for all the
same, and what was answered to one is remembered for those alone who see the same.
"""

from collections.abc import Callable, Coroutine, Sequence
from hashlib import blake2b
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from api.formats.media import VARY
from api.formats.negotiation import accepted
from api.listing import CHECKED, FOR_EVER
from api.references import NEVER_SEEN
from api.security.guard import Guarded, admitted, declared
from api.state import state_of
from api.wire.tags import Held, query_of

_NAME: Final = "Cache-Control"
_BYTES: Final = 16


class Cached(Guarded):
    """A route whose answers have tags. One that a route lets be kept says so in `Cache-Control`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        read, scopes = super().get_route_handler(), declared(self.dependant) or []

        async def handle(request: Request) -> Response:
            sent = request.headers.get("if-none-match")
            kept = None if sent is None else await _remembered(request, scopes, sent)
            version = state_of(request).references.present
            return kept or _tagged(request, scopes, await read(request), sent, version)

        return handle


async def _remembered(request: Request, scopes: Sequence[str], sent: str) -> Response | None:
    """The answer to who has what can never change."""
    state, query = state_of(request), _query(request)
    if not state.tags.knows(query):
        return None
    caller = await admitted(request, scopes)
    held = state.tags.of(query, caller, await state.references.look())
    return _unchanged(held.tag, FOR_EVER) if held is not None and _names(sent, held.tag) else None


def _tagged(request: Request, scopes: Sequence[str], response: Response, sent: str | None, version: int) -> Response:
    if response.status_code != 200 or isinstance(response, StreamingResponse):
        return response  # a long answer has no tag: it would have to be whole before its first byte is sent
    kept = response.headers.setdefault(_NAME, CHECKED)
    kind = response.headers.get("content-type", "").encode()
    tag = f'"{blake2b(response.body, digest_size=_BYTES, key=kind[:64]).hexdigest()}"'
    response.headers["ETag"] = tag
    if kept == FOR_EVER:
        _remember(request, Held(tag, version, frozenset(scopes), str(request.scope["route"].path)))
    return _unchanged(tag, kept) if sent is not None and _names(sent, tag) else response


def _remember(request: Request, held: Held) -> None:
    """Keeps the tag, unless the reference was changed while the answer was made, or the caller may be refused it on
    another day."""
    state, caller = state_of(request), request.scope["state"]["caller"]
    present = state.references.present
    if held.version in {NEVER_SEEN, present} and caller.entitled.history is None:
        state.tags.keep(_query(request), caller, held._replace(version=present))


def _unchanged(tag: str, kept: str) -> Response:
    return Response(status_code=304, headers=unchanged_headers(tag, kept))


def unchanged_headers(tag: str, kept: str) -> dict[str, str]:
    """The headers of a 304."""
    return {"ETag": tag, _NAME: kept, "Vary": VARY}


def _names(sent: str, tag: str) -> bool:
    """Whether `If-None-Match` names the tag; weak ones of the same text count, for that is how it is compared."""
    return sent.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in sent.split(",")}


def _query(request: Request) -> bytes:
    return query_of(request.scope, accepted(request).encode())
