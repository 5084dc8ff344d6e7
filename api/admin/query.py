"""What the routes of keys and tenants take: parameters and bodies, read strictly."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from api.problems import invalid
from api.query import Listed, Strict
from api.security.scopes import SCOPES
from api.values import Instant, MarketName, Text
from db.postgres.tenants import ID, LIMITED

_KEPT: Final = timedelta(hours=24)
_MOST_KEPT: Final = timedelta(days=90)
_PRODUCT: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?", re.ASCII)
_MOST_ROWS: Final = 2**53 - 1  # which every reader of JSON knows


def scope(given: str) -> str:
    if given not in SCOPES:
        raise ValueError(f"is no scope. Scopes: {', '.join(SCOPES)}.")
    return given


def tenant_id(given: str) -> str:
    if not ID.fullmatch(given):
        raise ValueError("is no id of a tenant: a small letter, then up to 62 of a-z, 0-9, _ and -.")
    return given


def product(given: str) -> str:
    if not _PRODUCT.fullmatch(given):
        raise ValueError("is no product. Write rt_5min for that of every market, caiso.rt_5min for one.")
    return given


def _sorted(given: list[str] | None) -> list[str] | None:
    return None if given is None else sorted(set(given))


Title = Annotated[Text, Field(min_length=1, max_length=128, description="for people: who or what it is for")]
TenantId = Annotated[
    str,
    Field(max_length=63, examples=["acme"], json_schema_extra={"pattern": f"^{ID.pattern}$"}),
    AfterValidator(tenant_id),
]
Role = Literal["viewer", "analyst", "operator", "admin"]
_Scopes = Annotated[
    list[Annotated[str, AfterValidator(scope)]] | None,
    Field(min_length=1, max_length=len(SCOPES), description="only these of the role's scopes; default: all of them"),
    AfterValidator(_sorted),
]
_Expires = Annotated[Instant | None, Field(description="when the key ends; default: never")]
_Positive = Annotated[int, Field(ge=1, le=_MOST_ROWS, strict=True)]
_Small = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]


class KeysQuery(Listed):
    """Keys; default: of your tenant, of the operator's keys of all."""


class TenantsQuery(Listed):
    """Tenants; default: all for the operator, else your own."""


class EraseQuery(Strict):
    """What is erased is gone: its id once more."""

    confirm: Annotated[str, Field(max_length=64, description="the id of the tenant once more")]


class NewKey(Strict):
    """A key that is to be made. It may do no more than the caller."""

    name: Title
    role: Role
    scopes: _Scopes = None
    tenant: Annotated[Text | None, Field(max_length=64, description="whose key it is; default: yours")] = None
    expires_at: _Expires = None


class Rotation(Strict):
    """How a key is replaced."""

    keep: Annotated[
        int,
        Field(
            ge=0,
            le=int(_MOST_KEPT.total_seconds()),
            strict=True,
            description="seconds for which the old key stays good; 0: it ends at once",
        ),
    ] = int(_KEPT.total_seconds())
    expires_at: Annotated[Instant | None, Field(description="when the new key ends; default: as the old one")] = None


class _Limits(Strict):
    """Null: everything, or the default of the installation."""

    markets: Annotated[
        list[MarketName] | None,
        Field(max_length=1000, description="the markets whose public prices it sees"),
        AfterValidator(_sorted),
    ] = None
    products: Annotated[
        list[Annotated[str, AfterValidator(product)]] | None,
        Field(max_length=1000, description="the products, e.g. `rt_5min` of every market or `caiso.rt_5min`"),
        AfterValidator(_sorted),
    ] = None
    history_days: Annotated[_Small | None, Field(description="how far back it sees public prices")] = None
    rows_per_day: _Positive | None = None
    requests_per_minute: _Small | None = None

    def limits(self) -> dict[str, Any]:
        """Those that were given."""
        return self.model_dump(include=set(LIMITED), exclude_unset=True)


class NewTenant(_Limits):
    """A tenant that is to be made."""

    id: TenantId
    name: Title


class TenantChange(_Limits):
    """What changes of a tenant; what is not given stays, null takes a limit away."""

    name: Title | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"says nothing to change. Give name, {', '.join(LIMITED)}.")
        return self

    def values(self) -> dict[str, Any]:
        """What changes. Raises a 422 problem for a name that is taken away."""
        found = self.model_dump(exclude_unset=True)
        if "name" in found and found["name"] is None:
            raise invalid("name", "is needed: it can be changed, not taken away.")
        return found
