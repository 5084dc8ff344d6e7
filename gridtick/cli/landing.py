"""Waiting until what was sent has landed, and what came of it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final, TypeAlias

from confluent_kafka.admin import AdminClient
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from db.kafka.admin import topic_id
from db.postgres.engine import make_engine
from db.postgres.ledger import Outcome, contiguous_end, outcome
from pipeline.errors import DataProcessingError
from service.settings import Settings

LANDS_WITHIN_S: Final = 600.0
LOOK_S: Final = 0.2

Spans: TypeAlias = Mapping[int, tuple[int, int]]  # partition -> offsets [first, next)


def wait_for(settings: Settings, admin: AdminClient, spans: Spans, sent: int) -> bool:
    """Returns when the offsets can be queried, and says what came of them: whether nothing was refused.

    `sent`: how many messages of ours lie there. Raises `DataProcessingError` when they do not land in time.
    """
    identity = topic_id(admin, settings.kafka.raw_topic)
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    with Console(stderr=True).status("waiting until everything can be queried"):
        found = asyncio.run(landed(engine, identity, spans))
    print(said(found, sent, settings.kafka.deadletter_topic))
    return nothing_refused(found)


def said(found: Outcome, sent: int, deadletter_topic: str) -> str:
    """A sentence on what came of `sent` messages, and of others in the same ranges of the ledger."""
    others = found.messages - sent
    start = f"with {_many(others, 'message')} of others in the same batches: " if others > 0 else ""
    if nothing_refused(found):
        return f"everything sent can be queried: {start}{_many(found.ticks, 'price')}"
    return (
        f"{start}{_many(found.ticks, 'price')}, {_many(found.rejects, 'row')} rejected, "
        f"{_many(found.dead_letters, 'message')} refused whole or in part (dead letters in {deadletter_topic})"
    )


def nothing_refused(found: Outcome) -> bool:
    return not (found.rejects or found.dead_letters)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


async def landed(engine: AsyncEngine, identity: str, spans: Spans) -> Outcome:
    """What came of the offsets, once the ledger covers them."""
    deadline = time.monotonic() + LANDS_WITHIN_S
    while left := await _missing(engine, identity, spans):
        if time.monotonic() > deadline:
            raise DataProcessingError(
                f"after {LANDS_WITHIN_S:.0f} s {left} messages have not landed. `gridtick status` shows what waits.",
                "cli",
            )
        await asyncio.sleep(LOOK_S)
    parts = [await outcome(engine, identity, partition, *span) for partition, span in spans.items()]
    return sum(parts, start=Outcome())


async def _missing(engine: AsyncEngine, identity: str, spans: Spans) -> int:
    ends = [(await contiguous_end(engine, identity, each, first), end) for each, (first, end) in spans.items()]
    return sum(max(end - reached, 0) for reached, end in ends)
