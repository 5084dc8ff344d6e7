"""The shapes of keys and tenants, for the OpenAPI document only."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _List(_Shape):
    next: Annotated[str | None, Field(description="the cursor of what follows; also in `Link`")]
    query: Annotated[dict[str, Any], Field(description="the parameters as understood")]


class Key(_Shape):
    """A key without its secret."""

    id: Annotated[str, Field(examples=["4Zk0mVb1Qx7C"])]
    tenant: str
    name: str
    role: Annotated[str, Field(examples=["analyst"])]
    scopes: Annotated[list[str] | None, Field(description="only these of the role's; null: all of them")]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="to the minute")]
    revoked_at: datetime | None
    replaces: Annotated[str | None, Field(description="the id of the key that was rotated")]
    created_by: Annotated[
        str, Field(description="the id of a key; `cli`: typed on the machine, `system`: came with the installation")
    ]


class MadeKey(Key):
    """A new key."""

    key: Annotated[str, Field(description="shown once", examples=["gt_live_…"])]


class Keys(_List):
    data: list[Key]


class Tenant(_Shape):
    """Of the limits null is everything, or the default of the installation."""

    id: Annotated[str, Field(examples=["acme"])]
    name: str
    created_at: datetime
    suspended_at: datetime | None
    erased_at: datetime | None
    markets: Annotated[list[str] | None, Field(examples=[["caiso", "ercot"]])]
    products: Annotated[list[str] | None, Field(examples=[["da_hourly", "caiso.rt_5min"]])]
    history_days: int | None
    rows_per_day: int | None
    requests_per_minute: int | None


class Tenants(_List):
    data: list[Tenant]


class Erased(_Shape):
    """What was removed."""

    tenant: str
    erased: Annotated[dict[str, dict[str, int]], Field(description="of each store the rows a table")]
