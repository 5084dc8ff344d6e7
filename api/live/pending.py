"""What waits for a client that is slower than the market, by its policy, within stated bounds."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final, Literal, NamedTuple, Protocol

from api.live.frames import parts
from api.live.row import Channel, Key, Row

Policy = Literal["conflate", "skip", "close"]
DEFAULT: Final[dict[Channel, Policy]] = {"prices": "conflate", "curves": "conflate", "bars": "close", "ticks": "close"}
SKIP_BYTES: Final = 2**20
CLOSE_BYTES: Final = 4 * 2**20
CLOSE_S: Final = 5.0
A_FRAME: Final = 1000  # rows of one frame, at most


class Waiting(NamedTuple):
    """A frame's rows. `seq` None: more rows follow of the same; `token` resumes after it, empty: nothing does yet;
    `conflated`: rows that gave way."""

    rows: Sequence[Row]
    seq: int | None
    token: str
    conflated: int = 0


class Skipped(NamedTuple):
    """Rows were dropped up to a number."""

    rows: int
    seq: int | None
    token: str


class Pending(Protocol):
    """Frames that wait, in order. It is false where none does."""

    def add(self, rows: Sequence[Row], seq: int | None, token: str) -> None: ...

    def take(self) -> Waiting | Skipped:
        """The next of them."""
        ...

    def clear(self) -> None: ...

    def __bool__(self) -> bool: ...

    @property
    def is_full(self) -> bool:
        """Whether the client is to be sent away."""
        ...


class Conflating:
    """Of each key the newest row waits."""

    def __init__(self) -> None:
        self._rows: dict[Key, Row] = {}
        self._last: tuple[int | None, str] = (None, "")
        self._conflated = 0

    def add(self, rows: Sequence[Row], seq: int | None, token: str) -> None:
        for row in rows:
            self._conflated += self._rows.pop(row.key, None) is not None
            self._rows[row.key] = row
        self._last = (self._last[0] if seq is None else seq), token

    def take(self) -> Waiting:
        rows = parts(list(islice(self._rows.values(), A_FRAME)))[0]
        for row in rows:
            del self._rows[row.key]
        if self._rows:
            return Waiting(rows, None, "")
        gave_way, self._conflated = self._conflated, 0
        return Waiting(rows, *self._last, gave_way)

    def clear(self) -> None:
        self._rows.clear()
        self._conflated = 0

    def __bool__(self) -> bool:
        return bool(self._rows)

    @property
    def is_full(self) -> bool:
        return False


class Queued:
    """Everything waits."""

    def __init__(self) -> None:
        self._bytes = 0
        self._queue: deque[Waiting] = deque()

    def add(self, rows: Sequence[Row], seq: int | None, token: str) -> None:
        self._bytes += _size(rows)
        self._queue.append(Waiting(rows, seq, token))

    def take(self) -> Waiting | Skipped:
        found = self._queue.popleft()
        self._bytes -= _size(found.rows)
        return found

    def clear(self) -> None:
        self._queue.clear()
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._queue)

    @property
    def is_full(self) -> bool:
        return self._bytes > CLOSE_BYTES


class Skipping(Queued):
    """Everything waits, up to a number of bytes: what comes after that is dropped and counted."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped: Skipped | None = None

    def add(self, rows: Sequence[Row], seq: int | None, token: str) -> None:
        if self._skipped is not None or self._bytes + _size(rows) > SKIP_BYTES:
            dropped = self._skipped.rows if self._skipped else 0
            last = self._skipped.seq if self._skipped and seq is None else seq
            self._skipped = Skipped(dropped + len(rows), last, token)
        else:
            super().add(rows, seq, token)

    def take(self) -> Waiting | Skipped:
        if self._queue:
            return super().take()
        assert self._skipped is not None
        found, self._skipped = self._skipped, None
        return found

    def clear(self) -> None:
        super().clear()
        self._skipped = None

    def __bool__(self) -> bool:
        return super().__bool__() or self._skipped is not None

    @property
    def is_full(self) -> bool:
        return False


def pending(policy: Policy) -> Pending:
    """What waits under a policy."""
    return {"conflate": Conflating, "skip": Skipping, "close": Queued}[policy]()


def _size(rows: Sequence[Row]) -> int:
    return sum(len(row.text) for row in rows)
