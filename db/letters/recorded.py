"""What the audit record says of dead letters that are sent again.

It is written before the first is sent, in a transaction of its own: a crash in between leaves no replay without it.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from db.letters.named import Choice
from db.letters.sending import Wanted
from db.postgres.audit import Entry, append
from db.postgres.changes import By
from pipeline.schema import PUBLIC

REPLAYED: Final = "deadletter.replay"
_NAMED: Final = 100  # ids of letters and of causes that a record names


async def record(engine: AsyncEngine, secret: str, wanted: Sequence[Wanted], choice: Choice, by: By) -> None:
    """Notes who sends what. `secret`: that of the audit record."""
    async with engine.begin() as connection:
        await append(connection, secret, [entry(wanted, choice, by)], by.at)


def entry(wanted: Sequence[Wanted], choice: Choice, by: By) -> Entry:
    """Its target are the causes. A record of the operator's: a letter names no tenant surely."""
    detail = {
        "letters": len(wanted), "ids": [each.dead.id for each in wanted[:_NAMED]], "again": choice.again,
        "labels": msgspec.to_builtins(choice.labels),
    }  # fmt: skip
    causes = sorted({each.dead.cause for each in wanted})[:_NAMED]
    return Entry(PUBLIC, by.actor, by.tenant, REPLAYED, ",".join(causes), "done", by.request_id, detail)
