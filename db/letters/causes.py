"""Dead letters by cause: what is alike but for numbers and quoted values has one. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from db.kafka.letters import Letter
from db.letters.states import State

_ID_BYTES: Final = 5
_CAUSE_BYTES: Final = 3
_SHAPE: Final = 160
_QUOTED: Final = re.compile(r"""(?<!\w)'(?:[^'\\]|\\.)*'|(?<!\w)"(?:[^"\\]|\\.)*\"""")
_NUMBER: Final = re.compile(r"\d[\d.,:/_-]*")


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter at its newest attempt. `asked`: the newest attempt that it was sent again for, 0: never.

    `read`: a worker has that attempt in hand, or it has landed.
    """

    letter: Letter
    state: State
    asked: int = 0
    read: bool = False

    @property
    def id(self) -> str:
        """Short, the same over all attempts."""
        return blake2b(self.letter.origin.encode(), digest_size=_ID_BYTES).hexdigest()

    @property
    def cause(self) -> str:
        """The id of its cause."""
        return cause_of(self.letter).id


class Cause(NamedTuple):
    """What dead letters of one cause have in common; `shape` is the reason without its numbers and values."""

    stage: str
    error_class: str
    market: str
    shape: str

    @property
    def id(self) -> str:
        return blake2b("\n".join(self).encode(errors="replace"), digest_size=_CAUSE_BYTES).hexdigest()


def cause_of(letter: Letter) -> Cause:
    market = (letter.labels.market or letter.market or "").lower()
    return Cause(letter.stage, letter.error_class, market, shape(letter.message))


def shape(reason: str) -> str:
    """A reason with `…` for every quoted value and `#` for every number."""
    return _NUMBER.sub("#", _QUOTED.sub("…", reason))[:_SHAPE]


def by_cause(dead: Iterable[Dead]) -> list[tuple[Cause, Sequence[Dead]]]:
    """The causes, those with most that waits first; of one the newest letter first."""
    groups: dict[Cause, list[Dead]] = defaultdict(list)
    for each in sorted(dead, key=lambda each: each.letter.written_ms, reverse=True):
        groups[cause_of(each.letter)].append(each)
    return sorted(groups.items(), key=lambda group: (-waiting(group[1]), -len(group[1]), group[0]))


def waiting(dead: Iterable[Dead]) -> int:
    return sum(each.state is State.waiting for each in dead)
