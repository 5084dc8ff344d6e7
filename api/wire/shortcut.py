"""What is remembered is answered before anything is routed: a latest price, and that what a caller kept is still right.

It is the same answer, to the same callers, under the same limits, as the routes give; whatever is not plain is left to
them. Nothing is waited for here.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.types import Scope

from api.listing import FOR_EVER
from api.problems import Problem
from api.security.principal import Principal
from api.security.scopes import PRICES
from api.state import State
from api.wire.caching import unchanged_headers
from api.wire.compression import LEAST, plain_tag
from api.wire.tags import query_of
from service import clock

LATEST: Final = "/v1/prices/latest"
_PLAIN: Final = (b"", b"*/*", b"application/json")
_BEARER: Final = b"bearer "
Header = tuple[bytes, bytes]
_JSON: Final[tuple[Header, ...]] = ((b"content-type", b"application/json"),)


class Found(NamedTuple):
    """An answer. `route`: the pattern that it is counted under."""

    status: int
    headers: list[Header]
    body: bytes
    route: str
    rows: int
    caller: Principal


class Shortcut:
    """Over the state of an application."""

    def __init__(self, state: State) -> None:
        self._state = state

    def find(self, scope: Scope) -> Found | None:
        """The answer, counted against the limits of its caller; nothing where a route must give it."""
        if scope["method"] != "GET":
            return None
        sent = dict(scope["headers"])
        if len(sent) != len(scope["headers"]) or b"origin" in sent or (key := _key(sent)) is None:
            return None  # what comes twice, and pages of other origins, are for the others to judge
        try:
            if (tag := sent.get(b"if-none-match")) is not None:
                return self._unchanged(scope, sent, key, tag)
            if scope["path"] == LATEST:
                return self._latest(scope["query_string"], sent, key)
        except Problem:  # it is raised again by the route, which says it in full
            return None
        return None

    def _latest(self, query: bytes, sent: Mapping[bytes, bytes], key: str) -> Found | None:
        state, pages = self._state, self._state.pages
        if not pages.knows(query) or sent.get(b"accept", b"") not in _PLAIN or b"content-length" in sent:
            return None
        caller = state.principals.known(key)
        if caller is None or PRICES not in caller.scopes or not state.references.is_current():
            return None
        page = pages.held(query, caller.whose, state.references.present)
        body = None if page is None else pages.kept(page)
        if page is None or body is None or (len(body) >= LEAST and b"accept-encoding" in sent):
            return None
        return self._found(200, [*_JSON, *_raw(page.around.headers)], body, LATEST, len(page.keys), caller)

    def _unchanged(self, scope: Scope, sent: Mapping[bytes, bytes], key: str, tag: bytes) -> Found | None:
        state, query = self._state, query_of(scope, sent.get(b"accept", b""))
        if not state.tags.knows(query) or not state.references.is_current():
            return None
        caller = state.principals.known(key)
        held = None if caller is None else state.tags.of(query, caller, state.references.present)
        if caller is None or held is None or not held.scopes <= caller.scopes:
            return None
        if plain_tag(tag.decode("latin-1")) != held.tag:
            return None
        return self._found(304, _raw(unchanged_headers(tag.decode("latin-1"), FOR_EVER)), b"", held.route, 0, caller)

    def _found(
        self, status: int, headers: list[Header], body: bytes, route: str, rows: int, caller: Principal
    ) -> Found:
        now, accounts = clock.now(), self._state.accounts
        accounts.require_rows(caller, now)
        headers += _raw(accounts.take(caller, now))
        return Found(status, headers, body, route, rows, caller)


def _key(sent: Mapping[bytes, bytes]) -> str | None:
    """The one key that was sent."""
    header, bearer = sent.get(b"x-api-key"), sent.get(b"authorization")
    if header is not None and bearer is None:
        return header.decode("latin-1")
    if header is None and bearer is not None and bearer[: len(_BEARER)].lower() == _BEARER:
        return bearer[len(_BEARER) :].decode("latin-1")
    return None


def _raw(headers: Mapping[str, str]) -> list[Header]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
