"""Reference data as tables, for administrators."""

from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from api import render
from api.admin import reference as reference_admin
from api.query import Strict, Tenant
from api.routes.common import ONCE, ReferenceAdmin
from api.schemas import prices as schemas
from api.schemas import reference as schemas_reference
from api.security.audit import by, require_tenant
from api.security.guard import Guarded
from api.state import state_of
from api.values import Flag
from api.wire.bodies import require_type
from db.reference.loading import Mode, Refused
from pipeline.reference.writing import to_csv

router: Final = APIRouter(prefix="/v1/admin", dependencies=[ONCE], tags=["administration"], route_class=Guarded)
_Table = Annotated[str, Path(max_length=64, description="e.g. taxonomy_rules", examples=["taxonomy_rules"])]
_RULE: Final = "rule,priority,market,commodity,region,tier,source\ncaiso,1,caiso,power,US-CA,real_time,mine\n"
_CSV: Final = {"text/csv": {"schema": {"type": "string"}, "example": _RULE}}


class ReadQuery(Strict):
    """How the rows are answered."""

    tenant: Tenant | None = None
    format: Annotated[Literal["json", "csv"], Field(description="`csv` is what PUT takes")] = "json"


class WriteQuery(Strict):
    """How the rows are taken."""

    replace: Annotated[Flag, Field(description="rows that the body does not hold are removed")] = False
    dry_run: Annotated[Flag, Field(description="say what would change, and change nothing")] = False


@router.get(
    "/reference/{table}",
    response_model=None,
    responses={200: {"model": schemas_reference.ReferenceRows, "content": _CSV}, **schemas.READ},
)
async def show_reference_table(
    request: Request, caller: ReferenceAdmin, table: _Table, ask: Annotated[ReadQuery, Query()]
) -> Response:
    """All rows of a table that a tenant has of its own (default: yours).

    Public rows name instruments of all markets: who may see only some of these reads those of its own tenant alone.
    """
    readable = caller.readable if caller.entitled.are_of_all else (caller.tenant,)
    require_tenant(request, caller, ask.tenant, readable)
    tenant, found = ask.tenant or caller.tenant, reference_admin.table_of(table)
    snapshot = await state_of(request).reads.snapshot(fresh=True)
    rows = reference_admin.rows_of(snapshot, found, tenant)
    if ask.format == "csv":
        return Response(to_csv(found, rows), media_type="text/csv; charset=utf-8")
    head = f'{{"table":"{table}","version":{snapshot.version},"data":['
    return Response(f"{head}{render.rows(rows)}]}}", media_type="application/json")


@router.put(
    "/reference/{table}",
    response_model=None,
    responses={200: {"model": schemas_reference.ReferenceChange}, **schemas.READ, **schemas.problems(413, 415)},
    openapi_extra={"requestBody": {"required": True, "content": _CSV}},
)
async def load_reference_table(
    request: Request, caller: ReferenceAdmin, table: _Table, ask: Annotated[WriteQuery, Query()]
) -> Response:
    """Loads a CSV (a header, UTF-8, at most 4 MiB) into your tenant's rows of a table, all of it or nothing.

    Rows of the same key are replaced. Workers and servers use the new rows within seconds.
    """
    require_type(request, "text/csv")
    found = reference_admin.table_of(table)
    given = await reference_admin.read(await request.body(), found, caller.tenant)
    try:
        loaded = await state_of(request).reads.load_reference(
            given, Mode(ask.replace, ask.dry_run), by(request, caller)
        )
    except Refused as error:
        raise reference_admin.not_loaded(table, error) from None
    return Response(msgspec.json.encode(reference_admin.told(loaded)), media_type="application/json")
