"""The shapes of what operators ask, for the OpenAPI document only."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReferenceUsed(_Shape):
    """The snapshot of the reference that is used, and why it may be an old one."""

    version: int | None
    age_seconds: Annotated[float | None, Field(description="since it was known to be the newest")]
    reason: str | None


class Readiness(_Shape):
    """`ready`, `degraded` (answers, but slower) or `unavailable`, with the reasons as sentences."""

    status: Literal["ready", "degraded", "unavailable"]
    reasons: list[str]
    reference: ReferenceUsed


class Alive(_Shape):
    status: Literal["alive"]
