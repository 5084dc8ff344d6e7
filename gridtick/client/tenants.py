"""The part of the client that manages tenants."""

from typing import Any, Final, TypedDict

from gridtick.client.asked import Ask, Call, Lines, Listing, once_header, plain
from gridtick.client.methods import AsyncPart, Part, async_call, async_lines, async_rows, call, lines, rows

_TENANTS: Final = "/v1/admin/tenants"


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


def _list_tenants(*, tenant: str | None = None, limit: int | None = None) -> Listing[Tenant]:
    return Listing(_TENANTS, {"tenant": tenant}, limit)


def _show_tenant(tenant: str) -> Call[Tenant]:
    return Call(Ask("GET", f"{_TENANTS}/{tenant}", route=_TENANTS + "/{id}"), plain)


def _create_tenant(tenant: str, name: str, *, once: str | None = None, **limits: object) -> Call[Tenant]:
    """A new tenant. `limits`: markets, products, history_days, rows_per_day, requests_per_minute."""
    return Call(Ask("POST", _TENANTS, body={"id": tenant, "name": name, **limits}, headers=once_header(once)), plain)


def _change_tenant(tenant: str, **values: object) -> Call[Tenant]:
    """Changes the name or limits; None takes a limit away."""
    return Call(Ask("PATCH", f"{_TENANTS}/{tenant}", body=values, route=_TENANTS + "/{id}"), plain)


def _suspend_tenant(tenant: str, *, once: str | None = None) -> Call[Tenant]:
    path, route = f"{_TENANTS}/{tenant}/suspend", _TENANTS + "/{id}/suspend"
    return Call(Ask("POST", path, headers=once_header(once), route=route), plain)


def _resume_tenant(tenant: str, *, once: str | None = None) -> Call[Tenant]:
    path, route = f"{_TENANTS}/{tenant}/resume", _TENANTS + "/{id}/resume"
    return Call(Ask("POST", path, headers=once_header(once), route=route), plain)


def _export_tenant(tenant: str) -> Lines[Exported]:
    """What a tenant has, row by row; without a last one of the kind `end` something is missing."""
    return Lines(Ask("GET", f"{_TENANTS}/{tenant}/export", route=_TENANTS + "/{id}/export"))


def _erase_tenant(tenant: str, confirm: str) -> Call[dict[str, dict[str, int]]]:
    """Deletes all that a tenant has of its own; `confirm` is its id once more. Says what was removed."""
    ask = Ask("DELETE", f"{_TENANTS}/{tenant}", {"confirm": confirm}, route=_TENANTS + "/{id}")
    return Call(ask, lambda answer: answer["erased"])


class Tenants(Part):
    """Tenants; needs the scope `tenants:admin`. Only a key of `public` changes them, others see their own."""

    list = rows(_list_tenants)
    show = call(_show_tenant)
    create = call(_create_tenant)
    change = call(_change_tenant)
    suspend = call(_suspend_tenant)
    resume = call(_resume_tenant)
    export = lines(_export_tenant)
    erase = call(_erase_tenant)


class AsyncTenants(AsyncPart):
    """The same, awaited."""

    list = async_rows(_list_tenants)
    show = async_call(_show_tenant)
    create = async_call(_create_tenant)
    change = async_call(_change_tenant)
    suspend = async_call(_suspend_tenant)
    resume = async_call(_resume_tenant)
    export = async_lines(_export_tenant)
    erase = async_call(_erase_tenant)
