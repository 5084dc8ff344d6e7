"""Who asks, for the audit record; and what is noted of a denied access: never the key, of an address its network."""

from collections.abc import Awaitable, Callable, Collection
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, cast

from fastapi import FastAPI
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from api.problems import Problem, not_found
from api.security.denials import ANONYMOUS, Denied
from api.security.principal import Principal
from api.state import state_of
from db.postgres.changes import By
from pipeline.schema import PUBLIC
from service import apikey, clock

_DENIED: Final = frozenset({401, 403})
_PREFIX: Final = {4: 24, 6: 48}
_SHOWN: Final = 80  # characters of what a caller made up


def denied(
    connection: HTTPConnection,
    reason: str,
    caller: Principal | None = None,
    *,
    sent: Collection[str] = (),
    asked: str = "",
) -> None:
    """Notes that an access is denied, to be called just before the problem is raised; costs microseconds.

    `reason`: a word of the program's. Without a `caller` `sent` are the keys that came: their public ids are noted,
    where they have any. `asked`: what was asked for, e.g. a tenant or a scope.
    """
    ids = ",".join(sorted(key.id for key in map(apikey.parse, sent) if key is not None))
    sample = {name: plain(each) for name, each in (("key", ids), ("asked", asked)) if each}
    connection.state.denied = True
    state_of(connection).denials.note(_of(connection, reason, caller), _request_id(connection), sample)


def install(app: FastAPI) -> None:
    """Notes every 401 and 403 that a route answers, also where who raises it does not: its kind is the reason."""
    answer = cast("Callable[[Request, Exception], Awaitable[Response]]", app.exception_handlers[Problem])

    async def noting(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        if error.status in _DENIED and not getattr(request.state, "denied", False):
            denied(request, error.kind, getattr(request.state, "caller", None))
        return await answer(request, error)

    app.add_exception_handler(Problem, noting)


def by(connection: HTTPConnection, caller: Principal) -> By:
    """Who changes something with this request, for its record."""
    return By(caller.key_id, caller.tenant, _request_id(connection), clock.now())


def require_tenant(
    connection: HTTPConnection, caller: Principal, tenant: str | None, readable: Collection[str]
) -> None:
    """Raises the 404 problem, and notes it, where the caller asks for a tenant that it cannot read."""
    if tenant is not None and tenant not in readable:
        denied(connection, "tenant", caller, asked=tenant)
        raise not_found(f"tenant: there is no {tenant!r} for this key.")


def network(host: str) -> str:
    """The network of an address, /24 or /48: the address itself may be a person's."""
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ip_network((address, _PREFIX[address.version]), strict=False))


def _of(connection: HTTPConnection, reason: str, caller: Principal | None) -> Denied:
    # The pattern of the route, never the path: an attacker could make up as many as he likes.
    pattern = getattr(connection.scope.get("route"), "path", "none")
    route = f"{connection.scope.get('method', 'GET')} {pattern}"
    if caller is not None:
        return Denied(caller.tenant, caller.key_id, reason, route, "")
    return Denied(PUBLIC, ANONYMOUS, reason, route, network(connection.client.host if connection.client else ""))


def _request_id(connection: HTTPConnection) -> str:
    return getattr(connection.state, "request_id", "")


def plain(text: str) -> str:
    """Of a caller's text what every store takes."""
    return text[:_SHOWN].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
