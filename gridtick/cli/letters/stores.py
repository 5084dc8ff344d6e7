"""What `gridtick dlq` asks of the stores."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from db.letters import held, recorded, sending
from db.letters.causes import Dead
from db.letters.named import Choice
from db.letters.sending import Result, Wanted
from db.postgres.audit import CLI
from db.postgres.changes import By
from db.postgres.engine import OUTAGE, make_engine
from db.postgres.replays import ask, newest
from pipeline.errors import DataProcessingError
from pipeline.schema import PUBLIC
from service import clock
from service.settings import Settings

T = TypeVar("T")


def read(settings: Settings, since_ms: int = 0) -> list[Dead]:
    """Those of which a letter was written since an instant, in order of their first writing."""
    return held.read(settings.kafka, asked(newest(engine_of(settings))), since_ms)


def record(settings: Settings, wanted: Sequence[Wanted], choice: Choice) -> None:
    """Writes into the audit record that they are sent, by whom is at this machine."""
    secret, by = settings.api.audit_secret.get_secret_value(), By(CLI, PUBLIC, "", clock.now())
    asked(recorded.record(engine_of(settings), secret, wanted, choice, by))


def send(settings: Settings, wanted: Sequence[Wanted], *, trial: bool) -> Result:
    return sending.send(settings.kafka, wanted, lambda some: asked(ask(engine_of(settings), some)), trial=trial)


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
