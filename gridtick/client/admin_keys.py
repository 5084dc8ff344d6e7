"""The part of the client that manages keys."""

from collections.abc import Sequence
from typing import Final, Literal, TypedDict

from gridtick.client.asked import Ask, Call, Listing, once_header, plain
from gridtick.client.given import Instant, iso, there
from gridtick.client.methods import AsyncPart, Part, async_call, async_rows, call, rows

Role = Literal["viewer", "analyst", "operator", "admin"]
_KEYS: Final = "/v1/admin/keys"


class Key(TypedDict):
    id: str
    tenant: str
    name: str
    role: str
    scopes: list[str] | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    replaces: str | None
    created_by: str


class MadeKey(Key):
    """`key` is the text that its owner sends; it is shown this once."""

    key: str


def _list_keys(*, tenant: str | None = None, limit: int | None = None) -> Listing[Key]:
    """Keys of your tenant, of the operator's of all."""
    return Listing(_KEYS, {"tenant": tenant}, limit)


def _show_key(key_id: str) -> Call[Key]:
    return Call(Ask("GET", f"{_KEYS}/{key_id}", route=_KEYS + "/{id}"), plain)


def _create_key(
    name: str,
    role: Role,
    *,
    scopes: Sequence[str] | None = None,
    tenant: str | None = None,
    expires_at: Instant | None = None,
    once: str | None = None,
) -> Call[MadeKey]:
    """A new key, which can do no more than yours."""
    body = {"name": name, "role": role, "scopes": scopes, "tenant": tenant, "expires_at": iso(expires_at)}
    return Call(Ask("POST", _KEYS, body=there(body), headers=once_header(once)), plain)


def _rotate_key(
    key_id: str, *, keep: int | None = None, expires_at: Instant | None = None, once: str | None = None
) -> Call[MadeKey]:
    """A key with the same rights; the old one stays good for `keep` seconds, a day where none are given."""
    body = there({"keep": keep, "expires_at": iso(expires_at)})
    path, route = f"{_KEYS}/{key_id}/rotate", _KEYS + "/{id}/rotate"
    return Call(Ask("POST", path, body=body, headers=once_header(once), route=route), plain)


def _revoke_key(key_id: str) -> Call[Key]:
    return Call(Ask("DELETE", f"{_KEYS}/{key_id}", route=_KEYS + "/{id}"), plain)


class Keys(Part):
    """Keys of your tenant, of the operator's of all; needs the scope `keys:admin`.

    `once`: an Idempotency-Key, under which the same request is done once in 24 hours, however often it is sent.
    """

    list = rows(_list_keys)
    show = call(_show_key)
    create = call(_create_key)
    rotate = call(_rotate_key)
    revoke = call(_revoke_key)


class AsyncKeys(AsyncPart):
    """The same, awaited."""

    list = async_rows(_list_keys)
    show = async_call(_show_key)
    create = async_call(_create_key)
    rotate = async_call(_rotate_key)
    revoke = async_call(_revoke_key)
