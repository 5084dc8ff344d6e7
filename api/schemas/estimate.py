"""The shape of what `dry_run` answers, for the OpenAPI document only."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cost(_Shape):
    """What the answer would take of the day's limit."""

    rows: int
    rows_left_today: Annotated[int, Field(examples=[1_000_000_000])]


class Estimate(_Shape):
    """With `dry_run`: what the answer would hold."""

    rows: int
    rows_exact: Annotated[bool, Field(description="false: there are hardly more rows than that")]
    bytes_estimate: Annotated[
        dict[str, int], Field(description="by format, before compression", examples=[{"json": 460, "csv": 190}])
    ]
    requests: Annotated[int, Field(description="pages of that `limit`", examples=[1])]
    cost: Cost
    query: Annotated[dict[str, Any], Field(description="the parameters as understood", examples=[{"limit": 1000}])]
