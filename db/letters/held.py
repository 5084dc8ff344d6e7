"""Every dead letter at its newest attempt, and how far it has come since."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Final, NamedTuple

from db.kafka.deadletters import PATIENCE_S, DeadLetterTopic
from db.kafka.letters import Letter
from db.letters.causes import Dead
from db.letters.states import State
from db.postgres.replays import Sent
from pipeline.errors import DataProcessingError
from service.settings import Kafka


class Bounds(NamedTuple):
    """How much is read at most: letters, and seconds; after how many seconds without an answer Kafka is away."""

    letters: int = sys.maxsize
    seconds: float = math.inf
    patience_s: float = PATIENCE_S


class TooMany(DataProcessingError):
    """There are more dead letters than may be read at once."""


EVERYTHING: Final = Bounds()


def read(kafka: Kafka, sent: Mapping[str, Sent], since_ms: int = 0, bounds: Bounds = EVERYTHING) -> list[Dead]:
    """Those of which a letter was written since an instant, in order of their first writing.

    `sent`: by origin the newest attempt that was asked for, as it was known before: what has landed by then, and was
    refused again, has written its letter before that. Raises `TooMany` beyond the bounds, `KafkaAway`.
    """
    with closing(DeadLetterTopic(kafka, bounds.patience_s)) as topic:
        return held(within(topic.letters(since_ms), bounds), sent)


def held(letters: Iterable[Letter], sent: Mapping[str, Sent]) -> list[Dead]:
    """One for each origin: of its letters the newest attempt, and of equal ones the last."""
    latest: dict[str, Letter] = {}
    for letter in letters:
        before = latest.get(letter.origin)
        if before is None or letter.attempts >= before.attempts:
            latest[letter.origin] = letter
    return [_dead(letter, sent.get(origin)) for origin, letter in latest.items()]


def within(
    letters: Iterable[Letter], bounds: Bounds, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Letter]:
    """The letters, as long as they are within the bounds. Raises `TooMany`."""
    end = monotonic() + bounds.seconds
    for number, letter in enumerate(letters):
        if number >= bounds.letters or monotonic() > end:
            raise TooMany(
                f"there are more dead letters than can be read at once ({number} were): name a later instant with "
                "--since.",
                "cli",
            )
        yield letter


def _dead(letter: Letter, sent: Sent | None) -> Dead:
    if sent is None or sent.attempt <= letter.attempts:
        return Dead(letter, State.waiting, sent.attempt if sent else 0)
    return Dead(letter, State.landed if sent.landed else State.replayed, sent.attempt, sent.read)
