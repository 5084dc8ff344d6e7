"""Hostile texts put into requests, sent, and what is wrong with the answers."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.api.fuzz import wire
from tests.api.fuzz.places import Call, Place
from tests.api.fuzz.seeing_answers import faults
from tests.api.fuzz.wire import Answer

SLOWER_S: Final = 2.0
AWAY: Final = 503
_TIMES: Final = 3


@dataclass(slots=True)
class Outcome:
    """`wrong`: a sentence each; `statuses`: how many answers each gave, of what was asked again the best one; `made`:
    bodies of what was created."""

    wrong: list[str] = field(default_factory=list[str])
    statuses: Counter[int] = field(default_factory=Counter[int])
    made: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])


async def plain(url: str, key: str, calls: Sequence[Call]) -> dict[str, Answer]:
    """The answers of the good requests, by operation."""
    found: dict[str, Answer] = {}

    def heard(number: int, answer: Answer) -> None:
        found[calls[number].operation] = answer

    await wire.ask(url, [each.written(key) for each in calls], heard, links=1)
    return found


async def attack(url: str, key: str, asked: Iterable[tuple[Place, str]], usual: dict[str, Answer]) -> Outcome:
    """Sends every text in its place. What was slow, or found a store away, is sent again beside the good request: a
    busy machine is no fault of the text."""
    sent, outcome = list(asked), Outcome()
    doubtful: list[int] = []

    def heard(number: int, answer: Answer) -> None:
        place, text = sent[number]
        if answer.status == AWAY or answer.seconds > usual[place.call.operation].seconds + SLOWER_S:
            doubtful.append(number)
        else:
            outcome.statuses[answer.status] += 1
            outcome.wrong += [_told(place, text, each) for each in faults(answer.status, answer.headers)]
        if answer.status == 201:
            outcome.made.append((place.call.operation, answer.body))

    await wire.ask(url, [_bytes(place, text, key) for place, text in sent], heard)
    for place, text in (sent[number] for number in doubtful):
        status, wrong = await _again(url, key, place, text)
        outcome.statuses[status] += 1
        outcome.wrong += [_told(place, text, each) for each in wrong]
    return outcome


async def _again(url: str, key: str, place: Place, text: str) -> tuple[int, list[str]]:
    """The best answer with nothing else under way, and what is wrong each time."""
    found: list[Answer] = []
    turns = [place.call.written(key), _bytes(place, text, key)] * _TIMES
    await wire.ask(url, turns, lambda _, answer: found.append(answer), links=1)
    good, hostile = (min(each.seconds for each in found[first::2]) for first in (0, 1))
    slow = [f"took {hostile:.1f} s, {good:.1f} s without it"] if hostile > good + SLOWER_S else []
    best = min(found[1::2], key=lambda each: each.status)
    return best.status, [*slow, *faults(best.status, best.headers)]


def _bytes(place: Place, text: str, key: str) -> bytes:
    return place.filled(text).written(key)


def _told(place: Place, text: str, what: str) -> str:
    return f"{place.call.method} {place.call.path}, {place.kind} {place.name or '(name)'} {text[:120]!r}: {what}"
