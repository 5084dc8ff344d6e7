"""What a snapshot shows, held against what stood at its number."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.stream.history import History
from tests.stream.truth import Fact, Key

Shown = Mapping[Key, Fact]


def _prices(history: History, epoch: str, seq: int, shown: Shown) -> Iterator[str]:
    """Exactly what stood."""
    stood = {key: fact for key, fact in history.newest_of(epoch, seq).items() if fact.value[0] is not None}
    for key in stood.keys() | shown.keys():
        if stood.get(key) != shown.get(key):
            yield f"{shown.get(key)} where {stood.get(key)} stood"


def _bars(history: History, epoch: str, seq: int, shown: Shown) -> Iterator[str]:
    """The newest of each interval: as it was, or newer."""
    stood = history.newest(history.at(epoch, seq))
    starts = {key[:3]: key[3] for key in shown}
    for key, fact in stood.items():
        if starts.get(key[:3], -1) < key[3]:
            yield f"{fact} is missing"
    for key, fact in shown.items():
        told = history.last(fact)
        if told < 0 or (key in stood and told < history.last(stood[key])):
            yield f"{fact} where {stood.get(key)} stood"


def _ticks(history: History, epoch: str, seq: int, shown: Shown) -> Iterator[str]:
    if shown:
        yield "ticks have no snapshot"


CHECKS: Final[dict[str, Callable[[History, str, int, Shown], Iterator[str]]]] = {
    "prices": _prices, "bars": _bars, "ticks": _ticks,
}  # fmt: skip
