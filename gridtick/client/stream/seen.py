"""Which rows came already, so that each comes once where a gap is filled."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, TypeVar

RowT = TypeVar("RowT", bound=Mapping[str, Any])
MOST: Final = 100_000  # rows that are remembered, of each kind
_BAR: Final = ("tenant", "instrument", "interval", "start", "revision", "updated_at")
_TICK: Final = ("tenant", "instrument", "interval_start", "version", "revision", "known_at")
_CURVE: Final = ("tenant", "curve", "session", "version", "known_at")


def identity(row: Mapping[str, Any]) -> bytes:
    """What is equal in the same publication, wherever it is told."""
    fields = _CURVE if "curve" in row else _BAR if "interval" in row else _TICK
    told = "\x1f".join(f"{row.get(name)}" for name in fields)
    return blake2b(told.encode(), digest_size=16).digest()


class Seen:
    """The newest `MOST` rows that were sent, and that came out of gaps."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._sent: dict[bytes, None] = {}
        self._filled: dict[bytes, None] = {}
        self._half: dict[bytes, None] = {}  # of a snapshot that is not whole

    def sent(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Remembers what the stream brought."""
        self._remember(self._sent, map(identity, rows))

    def snapshot(self, rows: Iterable[Mapping[str, Any]], *, is_first: bool, is_last: bool) -> None:
        """Remembers a snapshot once it is whole: one that begins anew takes the place of what came of it before."""
        if is_first:
            self._half = {}
        self._remember(self._half, map(identity, rows))
        if is_last:
            self._remember(self._sent, self._half)
            self._half = {}

    def lacking(self, rows: Sequence[RowT]) -> list[RowT]:
        """Of rows of a gap those that have not come, which are remembered."""
        found = {key: row for row in rows if (key := identity(row)) not in self._sent and key not in self._filled}
        self._remember(self._filled, found)
        return list(found.values())

    def not_filled(self, rows: Sequence[RowT]) -> Sequence[RowT]:
        """Of rows that the stream brings those that came out of no gap."""
        if not self._filled:
            return rows
        return [row for row in rows if identity(row) not in self._filled]

    def _remember(self, where: dict[bytes, None], keys: Iterable[bytes]) -> None:
        for key in keys:
            where.pop(key, None)
            where[key] = None
        while len(where) > self._most:
            del where[next(iter(where))]
