"""The shapes of answers around the live stream."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Ticket(BaseModel):
    """What stands for a key, once."""

    model_config = ConfigDict(extra="forbid")

    ticket: Annotated[str, Field(examples=["kX2…"])]
    expires_at: datetime
