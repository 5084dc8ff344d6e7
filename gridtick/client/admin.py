"""The part of the client that manages keys and tenants."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypedDict, cast

from gridtick.client.given import Instant, iso
from gridtick.client.http import Api
from gridtick.client.listed import Rows

Role = Literal["viewer", "analyst", "operator", "admin"]
_KEYS: Final = "/v1/admin/keys"
_TENANTS: Final = "/v1/admin/tenants"
_ONCE: Final = "Idempotency-Key"


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


class Tenant(TypedDict):
    """Of the limits None is everything, or the default of the installation."""

    id: str
    name: str
    created_at: str
    suspended_at: str | None
    erased_at: str | None
    markets: list[str] | None
    products: list[str] | None
    history_days: int | None
    rows_per_day: int | None
    requests_per_minute: int | None


class Exported(TypedDict):
    """A row of an export. The last one has the kind `end` and no row."""

    kind: str
    row: dict[str, Any]


class Keys:
    """Keys of your tenant, of the operator's of all; needs the scope `keys:admin`.

    `once`: an Idempotency-Key, under which the same request is done once in 24 hours, however often it is sent.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, *, tenant: str | None = None, limit: int | None = None) -> Rows[Key]:
        return Rows[Key](self._api.pages(_KEYS, {"tenant": tenant}, limit))

    def show(self, key_id: str) -> Key:
        return cast("Key", self._api.get(f"{_KEYS}/{key_id}", {}))

    def create(
        self,
        name: str,
        role: Role,
        *,
        scopes: Sequence[str] | None = None,
        tenant: str | None = None,
        expires_at: Instant | None = None,
        once: str | None = None,
    ) -> MadeKey:
        """A new key, which can do no more than yours."""
        body = {"name": name, "role": role, "scopes": scopes, "tenant": tenant, "expires_at": iso(expires_at)}
        return cast("MadeKey", self._api.send("POST", _KEYS, _given(body), _once(once)))

    def rotate(
        self, key_id: str, *, keep: int | None = None, expires_at: Instant | None = None, once: str | None = None
    ) -> MadeKey:
        """A key with the same rights; the old one stays good for `keep` seconds, a day where none are given."""
        body = _given({"keep": keep, "expires_at": iso(expires_at)})
        return cast("MadeKey", self._api.send("POST", f"{_KEYS}/{key_id}/rotate", body, _once(once)))

    def revoke(self, key_id: str) -> Key:
        return cast("Key", self._api.send("DELETE", f"{_KEYS}/{key_id}"))


class Tenants:
    """Tenants; needs the scope `tenants:admin`. Only a key of `public` changes them, others see their own."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, *, tenant: str | None = None, limit: int | None = None) -> Rows[Tenant]:
        return Rows[Tenant](self._api.pages(_TENANTS, {"tenant": tenant}, limit))

    def show(self, tenant: str) -> Tenant:
        return cast("Tenant", self._api.get(f"{_TENANTS}/{tenant}", {}))

    def create(self, tenant: str, name: str, *, once: str | None = None, **limits: object) -> Tenant:
        """A new tenant. `limits`: markets, products, history_days, rows_per_day, requests_per_minute."""
        body = {"id": tenant, "name": name, **limits}
        return cast("Tenant", self._api.send("POST", _TENANTS, body, _once(once)))

    def change(self, tenant: str, **values: object) -> Tenant:
        """Changes the name or limits; None takes a limit away."""
        return cast("Tenant", self._api.send("PATCH", f"{_TENANTS}/{tenant}", values))

    def suspend(self, tenant: str, *, once: str | None = None) -> Tenant:
        return cast("Tenant", self._api.send("POST", f"{_TENANTS}/{tenant}/suspend", None, _once(once)))

    def resume(self, tenant: str, *, once: str | None = None) -> Tenant:
        return cast("Tenant", self._api.send("POST", f"{_TENANTS}/{tenant}/resume", None, _once(once)))

    def export(self, tenant: str) -> Iterator[Exported]:
        """What a tenant has, row by row; without a last one of the kind `end` something is missing."""
        return cast("Iterator[Exported]", self._api.lines(f"{_TENANTS}/{tenant}/export"))

    def erase(self, tenant: str, confirm: str) -> dict[str, dict[str, int]]:
        """Deletes all that a tenant has of its own; `confirm` is its id once more. Says what was removed."""
        answer = self._api.send("DELETE", f"{_TENANTS}/{tenant}", parameters={"confirm": confirm})
        return cast("dict[str, dict[str, int]]", answer["erased"])


def _given(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _once(name: str | None) -> dict[str, str]:
    return {} if name is None else {_ONCE: name}
