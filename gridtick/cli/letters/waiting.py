"""Waiting until replays have landed, and what came of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from db.letters.causes import Dead
from db.letters.sending import Wanted
from db.postgres.replays import newest
from db.postgres.stops import stopped
from gridtick.cli.landing import LANDS_WITHIN_S
from gridtick.cli.letters.stores import asked, engine_of, read
from pipeline.errors import DataProcessingError
from service.settings import Settings

LOOK_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many can be queried now, and which are dead letters again."""

    landed: int
    refused: Sequence[Dead]


def outcome(settings: Settings, sent: Sequence[Wanted]) -> Outcome:
    """What came of the replays, once all have landed. Raises `DataProcessingError` where they do not."""
    attempts = {each.replay.origin: each.replay.attempt for each in sent}
    until_landed(lambda: _left(settings, attempts), lambda: _stopped(settings))
    refused = [
        each
        for each in read(settings)
        if each.letter.attempts >= attempts.get(each.letter.origin, each.letter.attempts + 1)
    ]
    return Outcome(len(attempts) - len(refused), refused)


def _left(settings: Settings, attempts: dict[str, int]) -> int:
    """How many have not landed."""
    known = asked(newest(engine_of(settings), list(attempts)))
    done = sum(
        origin in known and (known[origin].attempt > attempt or known[origin].landed)
        for origin, attempt in attempts.items()
    )
    return len(attempts) - done


def _stopped(settings: Settings) -> str:
    return " ".join(each.reason for each in asked(stopped(engine_of(settings))))


def until_landed(
    left: Callable[[], int], stopped: Callable[[], str],
    clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep,
) -> None:  # fmt: skip
    """Returns once nothing is left. Raises `DataProcessingError` when nothing lands for long, or when a lane stands."""
    fewest, since = left(), clock()
    while fewest:
        if reason := stopped():
            raise DataProcessingError(f"{fewest} replays have not landed. {reason}", "cli")
        if clock() - since > LANDS_WITHIN_S:
            raise DataProcessingError(
                f"for {LANDS_WITHIN_S:.0f} s nothing has landed, {fewest} replays are left. `gridtick status` shows "
                "what waits, `gridtick dlq ls` which have landed.",
                "cli",
            )
        pause(LOOK_S)
        now = left()
        if now < fewest:
            fewest, since = now, clock()
