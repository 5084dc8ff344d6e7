"""Which tenants a caller may see and change."""

from collections.abc import AsyncGenerator

import msgspec
from fastapi import Request

from api.problems import Problem
from api.reads.access_port import Access, Whose
from api.security.audit import denied, require_tenant
from api.security.principal import Principal

_ENCODER = msgspec.json.Encoder()


def seen(caller: Principal) -> Whose:
    """The tenants that the caller sees, and whose keys it manages: its own, the operator all."""
    return None if caller.is_operator else [caller.tenant]


def asked_of(request: Request, caller: Principal, tenant: str | None) -> Whose:
    """Those that a list is asked for; 404 for one that is not the caller's."""
    if tenant is None:
        return seen(caller)
    require_seen(request, caller, tenant)
    return [tenant]


def require_seen(request: Request, caller: Principal, tenant: str) -> None:
    """404, without a look whether there is one, for a tenant that is not the caller's."""
    if not caller.is_operator:
        require_tenant(request, caller, tenant, [caller.tenant])


def require_operator(request: Request, caller: Principal, tenant: str | None = None) -> None:
    """403 for all but the operator, 404 where the tenant is not the caller's either."""
    if tenant is not None:
        require_seen(request, caller, tenant)
    if not caller.is_operator:
        denied(request, "operator", caller, asked=tenant or "")
        detail = "Tenants are made and changed by the operator: with a key of the tenant public. Ask them."
        raise Problem(403, "operator-only", detail)


async def lines(access: Access, tenant: str) -> AsyncGenerator[bytes]:
    """The export as NDJSON. The last line counts the others: without it something is missing."""
    number = 0
    async for row in access.exported(tenant):
        number += 1
        yield _ENCODER.encode({"kind": row.kind, "row": row.values}) + b"\n"
    yield _ENCODER.encode({"kind": "end", "rows": number}) + b"\n"
