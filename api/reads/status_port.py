"""What the status needs from the stores: a part of `api.reads.ports.Reads`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import polars as pl

from db.postgres.ledger import DeadLetters
from db.postgres.places import Message


class Tells(Protocol):
    """Reads of what there is as a whole."""

    async def active(self, tenant: str, now: datetime) -> pl.DataFrame:
        """`db.clickhouse.active.ACTIVE` of the instruments that have a price lately."""
        ...

    async def landed_at(self, messages: Sequence[Message]) -> Mapping[Message, datetime]:
        """When all that came of these messages was stored; without those of which that is not known."""
        ...

    async def queued(self) -> Mapping[str, int]:
        """How many tasks wait in each queue of live prices; nothing where that cannot be told."""
        ...

    async def dead_letters(self, since: datetime) -> DeadLetters:
        """How many dead letters there are, and came since an instant."""
        ...
