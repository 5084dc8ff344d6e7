"""The shapes of reference data, for the OpenAPI document only."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReferenceRows(_Shape):
    """The rows of a table, with its columns in the order of the CSV."""

    table: Annotated[str, Field(examples=["taxonomy_rules"])]
    version: Annotated[int, Field(description="of the reference; it grows with every change")]
    data: list[dict[str, Any]]


class ReferenceChange(_Shape):
    """What a load has changed, in rows."""

    table: str
    added: int
    changed: int
    removed: int
    version: Annotated[int, Field(description="of the reference after it")]
