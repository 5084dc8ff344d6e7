"""What a snapshot, or a replay, has told already of what is offered after it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from api.live.row import Key, Row

_LASTS_S: Final = 60.0  # by then all that it was ahead of has been told


class Overlap:
    """All up to the number `beyond` was told; of bars all that is no newer than `floors`; of ticks each of `sent`, so
    many times."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        beyond: int = 0,
        floors: Mapping[Key, int] | None = None,
        sent: Mapping[bytes, int] | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._until = monotonic() + _LASTS_S
        self._beyond = beyond
        self._floors = floors or {}
        self._sent = Counter(sent or {})

    def lacking(self, rows: Sequence[Row], seq: int | None) -> Sequence[Row]:
        """The rows, of a change of this number, that were not told."""
        if seq is not None and seq <= self._beyond:
            return ()
        if not (self._floors or self._sent):
            return rows
        if self._monotonic() > self._until:
            self._floors, self._sent = {}, Counter()
            return rows
        return [row for row in rows if row.ver > self._floors.get(row.key, -1) and not self._was_sent(row)]

    def _was_sent(self, row: Row) -> bool:
        if not self._sent[row.text]:
            return False
        self._sent[row.text] -= 1
        return True
