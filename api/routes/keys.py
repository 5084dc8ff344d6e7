"""API keys, for administrators."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import answers
from api.admin import keys
from api.admin import lists as access_lists
from api.admin.idempotency import Named, answer, once_of
from api.admin.query import KeysQuery, NewKey, Rotation
from api.admin.refusals import told
from api.admin.tenants import asked_of, seen
from api.query import NoQuery
from api.routes.common import ONCE, KeyAdmin
from api.schemas import access as schemas_access
from api.schemas import prices as schemas
from api.security.audit import by
from api.security.guard import Guarded
from api.state import state_of
from api.values import Text
from db.postgres.keys import RevokeKey
from service import clock

router: Final = APIRouter(prefix="/v1/admin/keys", dependencies=[ONCE], tags=["administration"], route_class=Guarded)
_Id = Annotated[Text, Path(max_length=64, description="the public part of the key", examples=["4Zk0mVb1Qx7C"])]
_DEFAULT: Final = Rotation()
_MADE: Final = {201: {"model": schemas_access.MadeKey}, **schemas.READ, **schemas.problems(409)}


@router.get("", response_model=None, responses={200: {"model": schemas_access.Keys}, **schemas.READ})
async def list_keys(request: Request, caller: KeyAdmin, ask: Annotated[KeysQuery, Query()]) -> Response:
    """Keys, the oldest first, expired and revoked ones too; their secrets are stored nowhere."""
    whose, held = asked_of(request, caller, ask.tenant), answers.position(request, caller, ask)
    after = None if held is None else (datetime.fromisoformat(held[0]), str(held[1]))
    found = await state_of(request).reads.keys_of(whose, after, ask.limit + 1)
    return access_lists.listed(request, caller, ask, found, ("created_at", "id"))


@router.post("", status_code=201, response_model=None, responses=_MADE)
async def create_key(
    request: Request, caller: KeyAdmin, body: NewKey, name: Named, _: Annotated[NoQuery, Query()]
) -> Response:
    """Makes a key, which is shown in this answer alone. It cannot do what yours cannot."""
    reads = state_of(request).reads
    key = keys.made(reads.peppers, name)
    change = keys.creation(request, caller, body, keys.stored(key, reads.peppers), clock.now())
    with told():
        done = await reads.change(change, by(request, caller), once_of(request, caller, name, body))
    return answer(done, await keys.shown(reads, done, key, name), 201)


@router.get("/{key_id}", response_model=None, responses={200: {"model": schemas_access.Key}, **schemas.READ})
async def show_key(request: Request, caller: KeyAdmin, key_id: _Id, _: Annotated[NoQuery, Query()]) -> Response:
    """One key."""
    with told():
        found = await state_of(request).reads.key_of(key_id, seen(caller))
    return Response(msgspec.json.encode(found), media_type="application/json")


@router.delete("/{key_id}", response_model=None, responses={200: {"model": schemas_access.Key}, **schemas.READ})
async def revoke_key(request: Request, caller: KeyAdmin, key_id: _Id, _: Annotated[NoQuery, Query()]) -> Response:
    """Ends a key: within 5 seconds it opens nothing any more. One that is revoked stays as it is."""
    with told():
        done = await state_of(request).reads.change(RevokeKey(key_id, seen(caller)), by(request, caller), None)
    return answer(done)


@router.post("/{key_id}/rotate", status_code=201, response_model=None, responses=_MADE)
async def rotate_key(
    request: Request,
    caller: KeyAdmin,
    key_id: _Id,
    name: Named,
    _: Annotated[NoQuery, Query()],
    body: Rotation = _DEFAULT,
) -> Response:
    """Makes a key with the same rights, shown in this answer alone. The old one stays good for `keep` seconds."""
    reads = state_of(request).reads
    key = keys.made(reads.peppers, name)
    change = keys.rotation(caller, key_id, body, keys.stored(key, reads.peppers), clock.now())
    with told():
        old = await reads.key_of(key_id, seen(caller))
        keys.require_has(request, caller, old["role"], old["scopes"])
        done = await reads.change(change, by(request, caller), once_of(request, caller, name, body))
    return answer(done, await keys.shown(reads, done, key, name), 201)
