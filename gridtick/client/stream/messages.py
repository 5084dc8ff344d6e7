"""The messages of a stream, as they are iterated. Every one has `data`: of those without rows it is empty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

from gridtick.client.rows import Tick

RowT = TypeVar("RowT", bound=Mapping[str, Any])


class LivePrice(Tick):
    """The newest price of an instrument: until `live_until` it is `live`, then `late`, after `late_until` `stale`
    (None: always). An instrument that has no price any more has None as `price` and `interval_start`."""

    interval_start: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    mode: str
    cadence_seconds: Decimal | None
    live_until: str | None
    late_until: str | None


@dataclass(frozen=True, kw_only=True)
class Message(Generic[RowT]):
    """What came. `data`: rows as REST gives them, decimals exact."""

    data: Sequence[RowT] = ()


@dataclass(frozen=True, kw_only=True)
class Welcome(Message[RowT]):
    """A connection is there, the first one or another."""

    version: str
    server_time: str
    authenticated: bool
    heartbeat_seconds: float
    resume_window: Mapping[str, Any]
    limits: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Subscribed(Message[RowT]):
    """What is subscribed to; `errors`: `instrument, code, detail` of each that is not there or may not be seen."""

    subscriptions: Sequence[Mapping[str, Any]]
    errors: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class StreamSnapshot(Message[RowT]):
    """How things are: it takes the place of all that was known before. Large ones come in `parts`, from 1; another
    `part` 1 before the last one begins it anew."""

    channel: str
    seq: int
    part: int
    parts: int
    resume: str


@dataclass(frozen=True, kw_only=True)
class Update(Message[RowT]):
    """What changed. `replayed`: it was missed, or comes out of history; `conflated`: rows that gave way to others."""

    channel: str
    seq: int
    prev_seq: int | None
    resume: str
    replayed: bool
    conflated: int


@dataclass(frozen=True, kw_only=True)
class CaughtUp(Message[RowT]):
    """All that was missed has come: from here on updates are live."""

    channel: str
    seq: int | None


@dataclass(frozen=True, kw_only=True)
class IntervalClosed(Message[RowT]):
    """The bars of an interval are final, but for those in `open`, of which at most 100 are named."""

    market: str
    product: str
    interval: str
    start: str
    end: str
    open: Sequence[Any]
    open_count: int


@dataclass(frozen=True, kw_only=True)
class Heartbeat(Message[RowT]):
    """All that was published before `known_until` has come. `waiting`: the log cannot be read for now."""

    server_time: str
    state: Literal["live", "waiting"]
    known_until: str | None
    seq: int | None
    resume: str | None


@dataclass(frozen=True, kw_only=True)
class Gap(Message[RowT]):
    """What lies between cannot be sent. Unless `fill=False`, `Filled` messages with what is missing follow."""

    reason: str
    from_seq: int | None
    to_seq: int | None
    since: str | None
    until: str | None
    skipped: int | None
    fill: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Filled(Message[RowT]):
    """Rows of a gap, in the order in which they became known, without those that came already. `is_last`: no more."""

    gap: Gap[RowT]
    is_last: bool


@dataclass(frozen=True, kw_only=True)
class Reconnecting(Message[RowT]):
    """The connection is gone; another is tried in so many seconds, and goes on where this one was."""

    reason: str
    wait_seconds: float


@dataclass(frozen=True, kw_only=True)
class Complaint(Message[RowT]):
    """The server could not follow a message, or is about to close: `code` and `detail`."""

    id: int | None
    code: str
    detail: str
    fatal: bool


@dataclass(frozen=True, kw_only=True)
class Unknown(Message[RowT]):
    """A message of a kind that this client does not know."""

    frame: Mapping[str, Any]
