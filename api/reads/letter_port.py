"""What the routes of dead letters need: a part of `api.reads.ports.Reads`."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from db.kafka.letters import Original
from db.letters.causes import Dead
from db.letters.named import Choice
from db.postgres.changes import By, Performed
from db.postgres.idempotency import Once

T = TypeVar("T")


class Replay(NamedTuple):
    """What is to be sent again of the letters since an instant, at most `limit` of them; `dry_run`: only told."""

    choice: Choice
    since: datetime | None
    limit: int
    dry_run: bool


class Letters(Protocol):
    """`db.letters.held.TooMany` says that there are more than are read at once. A 503 problem where Kafka is away, or
    is read for another request: one at a time."""

    async def of_letters(self, since: datetime | None, work: Callable[[list[Dead]], T]) -> T:
        """What `work`, which is done in a thread, makes of all dead letters since an instant."""
        ...

    async def original(self, dead: Dead) -> tuple[Original, bool] | None:
        """Its message, and whether that is whole; None where the topic holds the letter no longer."""
        ...

    async def replay(self, wanted: Replay, by: By, once: Once | None) -> Performed:
        """Sends letters again and records that; `once`: or answers as the first time."""
        ...
