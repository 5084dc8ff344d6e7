"""Every dead letter at its newest attempt, and how far it has come since."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import closing
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from db.kafka.deadletters import DeadLetterTopic
from db.kafka.letters import Letter
from db.postgres.engine import OUTAGE, make_engine
from db.postgres.replays import Sent, newest
from gridtick.cli.letters.causes import Dead
from gridtick.cli.letters.states import State
from pipeline.errors import DataProcessingError
from service.settings import Settings

T = TypeVar("T")


def read(settings: Settings, since_ms: int = 0) -> list[Dead]:
    """Those of which a letter was written since an instant, in order of their first writing."""
    # Before the letters: what has landed by now, and was refused again, has written its letter before that.
    sent = asked(newest(engine_of(settings)))
    with closing(DeadLetterTopic(settings.kafka)) as topic:
        return held(topic.letters(since_ms), sent)


def held(letters: Iterable[Letter], sent: Mapping[str, Sent]) -> list[Dead]:
    """One for each origin: of its letters the newest attempt, and of equal ones the last."""
    latest: dict[str, Letter] = {}
    for letter in letters:
        before = latest.get(letter.origin)
        if before is None or letter.attempts >= before.attempts:
            latest[letter.origin] = letter
    return [_dead(letter, sent.get(origin)) for origin, letter in latest.items()]


def _dead(letter: Letter, sent: Sent | None) -> Dead:
    if sent is None or sent.attempt <= letter.attempts:
        return Dead(letter, State.waiting, sent.attempt if sent else 0)
    return Dead(letter, State.landed if sent.landed else State.replayed, sent.attempt, sent.read)


def engine_of(settings: Settings) -> AsyncEngine:
    return make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)


def asked(work: Coroutine[Any, Any, T]) -> T:
    """What PostgreSQL answers. Raises `DataProcessingError` where it is away."""
    try:
        return asyncio.run(work)
    except OUTAGE as error:
        raise DataProcessingError(
            f"PostgreSQL does not answer ({type(error).__name__}). `gridtick status` says what runs; "
            "DATA_PROC_POSTGRES_DSN says where it is.",
            "cli",
        ) from None
