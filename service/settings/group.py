"""What the groups of settings share."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

MIB: Final = 1024 * 1024
QUEUES: Final = ("project", "aggregate", "enrich", "normalize")  # what is nearly done comes first

Port = Annotated[int, Field(ge=1, le=65535)]
Lane = Literal["live", "backfill"]
LANES: Final[tuple[Lane, ...]] = ("live", "backfill")


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
