"""Answers of closed ranges, kept as long as nothing was stored in the range since: to find that out costs a fraction
of what reading does, and what is answered is what reading would give.

Only an answer that is asked for again is kept: whoever reads a history once pays nothing for it.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, NamedTuple

from starlette.responses import Response

from api.listing import SETTLED
from api.security.principal import Whose

MOST_BYTES: Final = 8 * 2**20  # of this process
LOOK_S: Final = 0.5  # an answer is at most so much older than if it were read
_MOST_ASKED: Final = 10_000


class Key(NamedTuple):
    """What an answer is the answer to. `reference`: the version that names and units are from; `start`: of the range
    that was meant, which an open start and the depth of a tenant's history move."""

    query: bytes
    whose: Whose
    reference: int
    start: datetime


class Made(NamedTuple):
    """An answer and how many rows it holds."""

    response: Response
    rows: int


Make = Callable[[], Awaitable[Made]]
Stand = Callable[[], Awaitable[object]]  # differs where anything in the range does; None where that cannot be told


class _Kept:
    """An answer, what its range stood at, and when that was looked at last."""

    __slots__ = ("looked", "made", "stand")

    def __init__(self, made: Made, stand: object, looked: float) -> None:
        self.made = made
        self.stand = stand
        self.looked = looked


class Settled:
    """The answers that this process keeps."""

    def __init__(self, monotonic: Callable[[], float], most_bytes: int = MOST_BYTES) -> None:
        self._monotonic = monotonic
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._asked: OrderedDict[Key, None] = OrderedDict()

    async def answer(self, key: Key, stand: Stand, make: Make) -> Made:
        """What `make` gives, or gave while `stand`, which is looked at every `LOOK_S`, was the same."""
        kept, now = self._found(key), self._monotonic()
        if kept is None and not self._again(key):
            return await make()
        if kept is not None and now - kept.looked < LOOK_S:
            return _copy(kept.made)
        before = await stand()  # what is read later is at least as new
        if kept is not None and kept.stand == before:
            kept.looked = now
            return _copy(kept.made)
        made = await make()
        if before is not None:
            self._keep(key, _Kept(made, before, now))
        return made

    def _found(self, key: Key) -> _Kept | None:
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return kept

    def _again(self, key: Key) -> bool:
        """Whether it has been asked before."""
        if key in self._asked:
            return True
        self._asked[key] = None
        if len(self._asked) > _MOST_ASKED:
            self._asked.popitem(last=False)
        return False

    def _keep(self, key: Key, kept: _Kept) -> None:
        """Remembers an answer that only a correction can change; those asked for longest ago are forgotten."""
        self._forget(key)
        response = kept.made.response
        if response.headers.get("Cache-Control") != SETTLED or len(response.body) > self._most:
            return
        self._kept[key] = kept
        kept.made = _copy(kept.made)
        self._bytes += len(response.body)
        while self._bytes > self._most:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Key) -> None:
        if (kept := self._kept.pop(key, None)) is not None:
            self._bytes -= len(kept.made.response.body)


def _copy(made: Made) -> Made:
    """One whose headers may be added to."""
    response = made.response
    return Made(Response(response.body, response.status_code, dict(response.headers)), made.rows)
