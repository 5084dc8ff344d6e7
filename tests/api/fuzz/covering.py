"""Which text is put where: every one in places of different kinds, and every place with enough of them."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from tests.api.fuzz.places import Place

EACH: Final = 30  # texts of a place


def covering(places: Sequence[Place], texts: Sequence[str]) -> Iterator[tuple[Place, str]]:
    """`EACH` × places: those of a kind share all texts among them, one place going on where the one before ended."""
    for _, some in groupby(sorted(places, key=_kind), _kind):
        for at, place in enumerate(some):
            yield from ((place, texts[(at * EACH + n) % len(texts)]) for n in range(EACH))


def product(places: Sequence[Place], texts: Sequence[str]) -> Iterator[tuple[Place, str]]:
    """Every text in every place."""
    return ((place, text) for place in places for text in texts)


def _kind(place: Place) -> str:
    return place.kind
