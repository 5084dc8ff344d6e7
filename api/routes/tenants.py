"""Tenants, for administrators."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import answers
from api.admin import lists as access_lists
from api.admin import tenants
from api.admin.idempotency import Named, answer, once_of
from api.admin.query import EraseQuery, NewTenant, TenantChange, TenantsQuery
from api.admin.refusals import told
from api.problems import invalid
from api.query import NoQuery, TenantName
from api.ranges.streaming import Streamed
from api.routes.common import ONCE, TenantAdmin
from api.schemas import access as schemas_access
from api.schemas import prices as schemas
from api.security.audit import by
from api.security.guard import Guarded
from api.state import state_of
from db.postgres.tenants import CreateTenant, LimitTenant, ResumeTenant, SuspendTenant

router: Final = APIRouter(prefix="/v1/admin/tenants", dependencies=[ONCE], tags=["administration"], route_class=Guarded)
_Id = Annotated[TenantName, Path(max_length=64, examples=["acme"])]
_CHANGED: Final = {200: {"model": schemas_access.Tenant}, **schemas.READ, **schemas.problems(409)}
_NDJSON: Final = {"application/x-ndjson": {"schema": {"type": "string"}}}


@router.get("", response_model=None, responses={200: {"model": schemas_access.Tenants}, **schemas.READ})
async def list_tenants(request: Request, caller: TenantAdmin, ask: Annotated[TenantsQuery, Query()]) -> Response:
    """Tenants in order of their ids, suspended and erased ones too: all for the operator, else your own."""
    whose, held = tenants.asked_of(request, caller, ask.tenant), answers.position(request, caller, ask)
    found = await state_of(request).reads.tenants_of(whose, held and str(held[0]), ask.limit + 1)
    return access_lists.listed(request, caller, ask, found, ("id",))


@router.post(
    "", status_code=201, response_model=None, responses={201: _CHANGED[200], **schemas.READ, **schemas.problems(409)}
)
async def create_tenant(
    request: Request, caller: TenantAdmin, body: NewTenant, name: Named, _: Annotated[NoQuery, Query()]
) -> Response:
    """Makes a tenant; its id is never given again."""
    tenants.require_operator(request, caller)
    change = CreateTenant(body.id, body.name, body.limits())
    with told():
        done = await state_of(request).reads.change(change, by(request, caller), once_of(request, caller, name, body))
    return answer(done, status=201)


@router.get("/{tenant}", response_model=None, responses={200: {"model": schemas_access.Tenant}, **schemas.READ})
async def show_tenant(request: Request, caller: TenantAdmin, tenant: _Id, _: Annotated[NoQuery, Query()]) -> Response:
    """One tenant."""
    tenants.require_seen(request, caller, tenant)
    with told():
        found = await state_of(request).reads.tenant_of(tenant)
    return Response(msgspec.json.encode(found), media_type="application/json")


@router.patch("/{tenant}", response_model=None, responses=_CHANGED)
async def limit_tenant(
    request: Request, caller: TenantAdmin, tenant: _Id, body: TenantChange, _: Annotated[NoQuery, Query()]
) -> Response:
    """Changes the name, what the tenant sees of public prices, and how much it may ask for; within 5 seconds."""
    tenants.require_operator(request, caller, tenant)
    with told():
        done = await state_of(request).reads.change(LimitTenant(tenant, body.values()), by(request, caller), None)
    return answer(done)


@router.post("/{tenant}/suspend", response_model=None, responses=_CHANGED)
async def suspend_tenant(
    request: Request, caller: TenantAdmin, tenant: _Id, name: Named, _: Annotated[NoQuery, Query()]
) -> Response:
    """Within 5 seconds no key of the tenant opens anything; nothing is removed."""
    tenants.require_operator(request, caller, tenant)
    with told():
        done = await state_of(request).reads.change(
            SuspendTenant(tenant), by(request, caller), once_of(request, caller, name)
        )
    return answer(done)


@router.post("/{tenant}/resume", response_model=None, responses=_CHANGED)
async def resume_tenant(
    request: Request, caller: TenantAdmin, tenant: _Id, name: Named, _: Annotated[NoQuery, Query()]
) -> Response:
    """The keys of the tenant work again."""
    tenants.require_operator(request, caller, tenant)
    with told():
        done = await state_of(request).reads.change(
            ResumeTenant(tenant), by(request, caller), once_of(request, caller, name)
        )
    return answer(done)


@router.get("/{tenant}/export", response_model=None, responses={200: {"content": _NDJSON}, **schemas.READ})
async def export_tenant(request: Request, caller: TenantAdmin, tenant: _Id, _: Annotated[NoQuery, Query()]) -> Response:
    """What the tenant has, a line `{"kind": …, "row": …}` each: its keys without their secrets, instruments, names,
    reference data, usage, audit records. The last line is `{"kind":"end","rows":…}`: without it something is missing.

    Its prices are read by `/v1/ticks` with `tenant` and the instruments of this export.
    """
    tenants.require_seen(request, caller, tenant)
    with told():
        await state_of(request).reads.tenant_of(tenant)
    lines, ended = tenants.lines(state_of(request).reads, tenant), state_of(request).exports.take(caller.tenant)
    return Streamed(lines, {}, "application/x-ndjson", ended)


@router.delete(
    "/{tenant}",
    response_model=None,
    responses={200: {"model": schemas_access.Erased}, **schemas.READ, **schemas.problems(409)},
)
async def erase_tenant(
    request: Request, caller: TenantAdmin, tenant: _Id, ask: Annotated[EraseQuery, Query()]
) -> Response:
    """Removes all that is the tenant's own; its id stays and is never given again. Where a store is away send it again:
    what is done stays done."""
    tenants.require_operator(request, caller, tenant)
    if ask.confirm != tenant:
        raise invalid("confirm", f"is not {tenant!r}. Everything of that tenant would be gone: write its id again.")
    with told():
        removed = await state_of(request).reads.erase(tenant, by(request, caller))
    return Response(msgspec.json.encode({"tenant": tenant, "erased": removed}), media_type="application/json")
