"""The audit record, for who may read it."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from api import answers
from api.query import Listed
from api.routes.common import ONCE, AuditReader
from api.schemas import audit as schemas_audit
from api.schemas import prices as schemas
from api.security.audit import require_tenant
from api.security.guard import Guarded
from api.security.principal import Principal
from api.state import state_of
from api.values import Instant, Text
from db.postgres.audit_chain import Record
from db.postgres.audit_reads import Filters

router: Final = APIRouter(prefix="/v1/admin", dependencies=[ONCE], tags=["administration"], route_class=Guarded)


class AuditQuery(Listed):
    """Which records."""

    action: Annotated[Text | None, Field(max_length=64, examples=["key.create"])] = None
    actor: Annotated[Text | None, Field(max_length=64, description="the id of a key, or `cli`")] = None
    since: Annotated[Instant | None, Field(description="first instant")] = None
    until: Annotated[Instant | None, Field(description="first instant beyond")] = None


@router.get("/audit", response_model=None, responses={200: {"model": schemas_audit.AuditRecords}, **schemas.READ})
async def list_audit_records(request: Request, caller: AuditReader, ask: Annotated[AuditQuery, Query()]) -> Response:
    """Who changed what, and who was denied what, the newest last; records of your tenant. The operator of the
    installation (a key of `public`) sees those of all tenants.

    Denied accesses that are alike within a minute are one record with a `count`.
    """
    filters = Filters(_tenants(request, caller, ask), ask.action, ask.actor, ask.since, ask.until)
    after = answers.position(request, caller, ask) or 0
    found = await state_of(request).reads.audit_records(filters, after, ask.limit + 1)
    page = found[: ask.limit]
    going_on = page[-1].seq if len(found) > ask.limit else None
    rows = b",".join(_shown(each) for each in page)
    return answers.around(request, caller, ask, answers.asked(ask), going_on).response(rows)


def _tenants(request: Request, caller: Principal, ask: AuditQuery) -> list[str] | None:
    if caller.is_operator:
        return None if ask.tenant is None else [ask.tenant]
    require_tenant(request, caller, ask.tenant, (caller.tenant,))
    return [caller.tenant]


def _shown(record: Record) -> bytes:
    shown = record._asdict() | {"detail": msgspec.Raw(record.detail.encode()), "hash": record.hash.hex()}
    return msgspec.json.encode(shown)
