"""The shapes of the audit record, for the OpenAPI document only."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AuditRecord(_Shape):
    """An administrative change, or denied accesses that are alike."""

    seq: Annotated[int, Field(description="its number; there is no hole", examples=[42])]
    at: Annotated[datetime, Field(description="when it was written; a change is made at the same instant")]
    tenant: Annotated[str, Field(description="whose record it is", examples=["acme"])]
    actor: Annotated[str, Field(description="the id of a key, `cli`, or `anonymous`", examples=["0aZ3bY9cX1dW"])]
    actor_tenant: Annotated[str, Field(description="whose key it is; empty for `anonymous`", examples=["acme"])]
    action: Annotated[str, Field(examples=["key.create", "access.denied"])]
    target: Annotated[str, Field(description="what was changed, or the route", examples=["GET /v1/bars"])]
    outcome: Literal["done", "denied"]
    request_id: Annotated[str, Field(description="of denied accesses that are alike: the first one's")]
    detail: Annotated[dict[str, Any], Field(examples=[{"reason": "scope", "asked": "bars:read", "count": 3}])]
    hash: Annotated[str, Field(description="over this record and the one before it; with `seq` it is an anchor")]


class AuditRecords(_Shape):
    """Records, the newest last."""

    data: list[AuditRecord]
    next: str | None
    query: dict[str, Any]
