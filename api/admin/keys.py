"""Which keys a caller may manage, and what it may give to new ones."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request

from api.admin.query import NewKey, Rotation
from api.admin.tenants import asked_of, seen
from api.problems import Problem, invalid
from api.reads.access_port import Access
from api.security.audit import denied
from api.security.principal import Principal
from api.security.scopes import ROLES, granted
from db.postgres.changes import Performed
from db.postgres.keys import CreateKey, Key, New, RotateKey
from service import apikey
from service.apikey import ApiKey, Peppers


def require_has(request: Request, caller: Principal, role: str, scopes: Sequence[str] | None) -> None:
    """403 where a key of these rights could do what the caller cannot."""
    more = granted(role, None if scopes is None else frozenset(scopes)) - caller.scopes
    if more:
        scope = min(more)
        denied(request, "scope", caller, asked=scope)
        detail = f"This key lacks the scope {scope} and so cannot give it. Name less in `scopes`, or another role."
        raise Problem(403, "scope-missing", detail)


def creation(request: Request, caller: Principal, body: NewKey, new: New, now: datetime) -> CreateKey:
    """The key that is asked for; a problem where it may not be made."""
    tenant = body.tenant or caller.tenant
    asked_of(request, caller, tenant)
    beyond = sorted(set(body.scopes or ()) - ROLES[body.role])
    if beyond:
        raise invalid("scopes", f"the role {body.role} has no {beyond[0]}. Leave it out, or take another role.")
    require_has(request, caller, body.role, body.scopes)
    require_ahead(body.expires_at, now)
    scopes = None if body.scopes is None else frozenset(body.scopes)
    return CreateKey(new, tenant, body.name, body.role, scopes, body.expires_at)


def rotation(caller: Principal, key_id: str, body: Rotation, new: New, now: datetime) -> RotateKey:
    """The key that replaces another one, whose rights the caller has."""
    require_ahead(body.expires_at, now)
    return RotateKey(new, key_id, seen(caller), timedelta(seconds=body.keep), body.expires_at)


def require_ahead(expires_at: datetime | None, now: datetime) -> None:
    """422 for a key that would never work."""
    if expires_at is not None and expires_at <= now:
        raise invalid("expires_at", "lies in the past: the key would never work. Give a later instant, or none.")


def made(peppers: Peppers, name: str | None) -> ApiKey:
    """A new key. One that is made under an Idempotency-Key can be made again when the same post comes once more:
    its secret, which is stored nowhere, follows from the pepper, its id and that key, of which a hash is stored."""
    return apikey.make() if name is None else apikey.derived(peppers.present, apikey.new_id(), name)


def stored(key: ApiKey, peppers: Peppers) -> New:
    """What is kept of it."""
    return New(key.id, key.digest(peppers.present), apikey.fingerprint(peppers.present))


async def shown(access: Access, done: Performed, key: ApiKey, name: str | None) -> dict[str, Any]:
    """The answer with the text of the key, which is shown here alone. A problem where that cannot be made again."""
    if done.replayed and name is not None:
        key = await _again(access, done.answer, name)
    return {**done.answer, "key": key.text()}


async def _again(access: Access, answer: Key, name: str) -> ApiKey:
    there = await access.find_key(answer["id"])
    for pepper in access.peppers.every():
        key = apikey.derived(pepper, answer["id"], name)
        if there is not None and access.peppers.under(key, there.digest) is not None:
            return key
    detail = f"the key {answer['id']} was made by this request and cannot be shown again: the pepper has been replaced."
    raise Problem(422, "idempotency-mismatch", f"{detail} Rotate it, under a new Idempotency-Key.")
