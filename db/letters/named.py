"""Which dead letters a person means: by ids, that may be cut short, by positions, or by a cause. Pure."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Literal

from db.letters.causes import Dead
from pipeline.errors import DataProcessingError
from pipeline.replay import Labels

_SHORTEST: Final = 3  # characters of an id that are taken for it
_SHOWN: Final = 5
_THEIR_OWN: Final = Labels()
What = Literal["letters", "cause"]


class Unclear(DataProcessingError):
    """What was named is none of what there is, or, with `found`, may be any of these ids."""

    def __init__(self, what: What, wanted: str, found: Sequence[str]) -> None:
        self.what: What = what
        self.wanted = wanted
        self.found = found[:_SHOWN]
        name = wanted if what == "letters" else f"--cause {wanted}"
        super().__init__(f"{name} {self.told}. `gridtick dlq ls` lists causes, `--cause` their dead letters.", "cli")

    @property
    def told(self) -> str:
        return f"may be {', '.join(self.found)}: write more of it" if self.found else "is none of what there is"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be sent again: letters by `ids`, those of a `cause`, or, without both, all; under which labels.

    `again`: also what is on the way or has landed, as one more attempt.
    """

    ids: Sequence[str] = ()
    cause: str | None = None
    labels: Labels = _THEIR_OWN
    again: bool = False

    def of(self, dead: Sequence[Dead]) -> Sequence[Dead]:
        """Those that are meant. Raises `Unclear`."""
        if self.ids:
            return with_ids(dead, self.ids)
        return dead if self.cause is None else with_cause(dead, self.cause)


def with_ids(dead: Sequence[Dead], ids: Sequence[str]) -> list[Dead]:
    """Those that are meant: by the beginning of their id, or by their origin. Raises `Unclear`."""
    origins = {each.letter.origin: each for each in dead}
    known = {each.id: each for each in dead}
    ordered = sorted(known)
    found = [origins[wanted] if wanted in origins else known[_id(ordered, wanted)] for wanted in ids]
    return list({each.id: each for each in found}.values())


def with_cause(dead: Sequence[Dead], wanted: str) -> list[Dead]:
    """Those of a cause, by the beginning of its id. Raises `Unclear`."""
    of: dict[str, list[Dead]] = {}
    for each in dead:
        of.setdefault(each.cause, []).append(each)
    found = list(_beginning(sorted(of), wanted))
    if len(found) != 1:
        raise Unclear("cause", wanted, found)
    return of[found[0]]


def _id(ordered: Sequence[str], wanted: str) -> str:
    found = list(_beginning(ordered, wanted))
    if len(found) != 1:
        raise Unclear("letters", wanted, found)
    return found[0]


def _beginning(ordered: Sequence[str], wanted: str) -> Iterator[str]:
    """Of ids in order those that begin so."""
    if len(wanted) < _SHORTEST:
        return iter(())
    first = wanted.lower()
    return takewhile(lambda each: each.startswith(first), ordered[bisect_left(ordered, first) :])
