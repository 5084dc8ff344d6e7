"""The shapes of the answers about the caller, for the OpenAPI document only."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Entitled(_Shape):
    """What the tenant sees of the public prices; null: all of it."""

    markets: Annotated[list[str] | None, Field(examples=[["caiso", "pjm"]])]
    products: Annotated[list[str] | None, Field(description="`rt_5min`, or `caiso.rt_5min`", examples=[["da_hourly"]])]
    history_days: Annotated[int | None, Field(description="how far back, from a midnight (UTC) on", examples=[365])]


class Limited(_Shape):
    """How much may be asked for. Requests are counted by each API process on its own."""

    key_requests_per_minute: Annotated[int, Field(examples=[6000])]
    tenant_requests_per_minute: Annotated[int, Field(examples=[30000])]
    tenant_rows_per_day: Annotated[int, Field(examples=[1000000000])]


class Me(_Shape):
    """The caller."""

    key_id: Annotated[str, Field(examples=["5TrbZ0fVwkJ2"])]
    name: Annotated[str, Field(examples=["demo"])]
    tenant: Annotated[str, Field(examples=["public"])]
    readable_tenants: Annotated[list[str], Field(examples=[["public"]])]
    role: Annotated[str, Field(examples=["analyst"])]
    scopes: Annotated[list[str], Field(examples=[["bars:read", "prices:read"]])]
    expires_at: datetime | None
    entitlements: Entitled
    limits: Limited


class KeyUsage(_Shape):
    key_id: Annotated[str, Field(examples=["5TrbZ0fVwkJ2"])]
    requests: Annotated[int, Field(examples=[120])]
    rows: Annotated[int, Field(examples=[48000])]


class DayUsage(_Shape):
    """A day of UTC."""

    day: date
    requests: Annotated[int, Field(description="answered, of all keys of the tenant", examples=[120])]
    rows: Annotated[int, Field(description="in these answers", examples=[48000])]
    keys: list[KeyUsage]


class Usage(_Shape):
    """What a tenant has asked for."""

    tenant: Annotated[str, Field(examples=["public"])]
    limits: Limited
    rows_left: Annotated[int, Field(description="of today", examples=[999952000])]
    days: list[DayUsage]
