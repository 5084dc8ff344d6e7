"""The frames of the live stream, for `/asyncapi.json` and the tests; frames are put together from rendered rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.schemas.curves import Snapshot as CurveSnapshot
from api.schemas.prices import Bar, Decimal, Tick

Id = Annotated[int, Field(ge=1, description="of the subscription")]
Seq = Annotated[
    int, Field(ge=0, description="counts the changes of the channel; of this subscription some are left out")
]
Resume = Annotated[str, Field(description="a token: subscribe with it, and what came after this frame comes first")]


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LivePrice(_Frame):
    """The newest price of an instrument: a tick, and until when it is fresh. Where an instrument has no price any more,
    all that tells of one is null."""

    instrument: str
    market: str
    product: str
    location: str | None
    location_type: str | None
    interval_start: datetime | None
    interval_end: datetime | None
    price: Decimal
    energy: Decimal
    congestion: Decimal
    loss: Decimal
    ghg: Decimal
    volume: Decimal
    bid: Decimal
    ask: Decimal
    unit: str | None
    currency: str | None
    flags: list[str]
    version: int | None
    revision: int | None
    known_at: datetime | None
    tenant: str
    mode: Literal["newest"]
    cadence_seconds: Annotated[float | None, Field(description="expected time between publications")]
    live_until: Annotated[datetime | None, Field(description="until then it is `live`; null: always")]
    late_until: Annotated[datetime | None, Field(description="until then it is `late`, then `stale`")]


class LiveBar(Bar):
    """A bar; `count` 0: it has lost its last price."""


class Changes(_Frame):
    """A page of what became known, in that order."""

    data: list[Tick | LiveBar]
    next: str | None
    query: dict[str, Any]


class Window(_Frame):
    """How far back the log goes, whichever is reached first."""

    seconds: int
    entries: int


class Bounds(_Frame):
    """What a connection may do."""

    subscriptions: int
    instruments: int
    message_bytes: int
    messages_per_second: int
    connections_of_key: int
    authenticate_seconds: float


class Welcome(_Frame):
    """The first frame, and the answer to `auth`."""

    type: Literal["welcome"]
    version: Literal["1"]
    server_time: datetime
    authenticated: bool
    heartbeat_seconds: float
    resume_window: Window
    limits: Bounds


class Pong(_Frame):
    """The answer to `ping`, with its `id`."""

    type: Literal["pong"]
    id: int | None
    server_time: datetime


class Of(_Frame):
    """All of a market and product."""

    market: str
    product: str | None


class Subscription(_Frame):
    """A subscription of this connection: of `instruments`, or of a `filter`."""

    id: Id
    channel: Literal["prices", "bars", "curves", "ticks", "demo"]
    instruments: list[str] | None
    filter: Of | None
    interval: str | None
    policy: Literal["conflate", "skip", "close"]


class Missing(_Frame):
    """What of a subscription cannot be had. `instrument` null: nothing of the filter is there yet."""

    instrument: str | None
    code: Literal["unknown-instrument", "unknown-curve", "interval-too-fine", "nothing-yet"]
    detail: str


class Subscribed(_Frame):
    """The answer to `subscribe` and `unsubscribe`, and told when what may be seen has changed."""

    type: Literal["subscribed"]
    id: Id
    subscriptions: list[Subscription]
    errors: list[Missing]


class CaughtUp(_Frame):
    """All of before was sent: from here on updates are live."""

    type: Literal["caught_up"]
    id: Id
    channel: str
    seq: Seq


class IntervalClosed(_Frame):
    """An interval [start, end) of a market and product is complete: it is over, and so is the time in which its prices
    may come. Its bars are final, but for the open ones, which lack prices."""

    type: Literal["interval_closed"]
    id: Id
    channel: Literal["bars"]
    market: str
    product: str
    interval: str
    start: datetime
    end: datetime
    open: Annotated[list[str], Field(max_length=100)]
    open_count: int


class Pulse(_Frame):
    """Of one subscription: the last `seq` that was sent."""

    id: Id
    channel: str
    seq: Seq
    resume: Resume


class Heartbeat(_Frame):
    """Every 5 seconds."""

    type: Literal["heartbeat"]
    server_time: datetime
    state: Annotated[Literal["live", "waiting"], Field(description="`waiting`: the log cannot be read for now")]
    known_until: Annotated[
        datetime | None, Field(description="all that was published before has landed, and has been sent")
    ]
    channels: Annotated[dict[str, int], Field(description="the last `seq` of each channel")]
    subscriptions: list[Pulse]


class Gap(_Frame):
    """What lies between cannot be sent."""

    type: Literal["gap"]
    id: Id
    channel: str
    reason: Annotated[
        Literal["window", "lost", "slow"],
        Field(description="older than the log; the log was lost with Redis; the client was slow (policy `skip`)"),
    ]
    from_seq: int
    to_seq: Annotated[int | None, Field(description="null: nobody knows")]
    since: Annotated[datetime | None, Field(description="what was known before this instant had been sent")]
    until: datetime
    skipped: Annotated[int | None, Field(description="rows, of `slow`")]
    fill: Annotated[list[str], Field(description="addresses of the REST interface that give what is missing")]


class Error(_Frame):
    """What is not done, and why; `fatal`: the connection closes."""

    type: Literal["error"]
    id: int | None
    code: Annotated[str, Field(examples=["unauthorized", "bad-message", "id-in-use", "scope-missing"])]
    detail: str
    fatal: bool


class Closed(_Frame):
    """The last Server-Sent Event: the code of closing that a WebSocket would have, and why."""

    type: Literal["closed"]
    code: int
    reason: str


_ROWS: Final[Mapping[str, tuple[str, Any]]] = {
    "prices": ("a latest price", LivePrice), "demo": ("a latest price", LivePrice), "bars": ("a bar", LiveBar),
    "ticks": ("a tick", Tick), "curves": ("a snapshot of a curve", CurveSnapshot),
}  # fmt: skip
PLAIN: Final = (Welcome, Pong, Subscribed, CaughtUp, IntervalClosed, Heartbeat, Gap, Error, Closed)


def _data(channel: str, kind: str, more: dict[str, Any]) -> type[BaseModel]:
    what, row = _ROWS[channel]
    fields: dict[str, Any] = {"type": (Literal[kind], ...), "id": (Id, ...), "channel": (Literal[channel], ...)}
    fields |= {"seq": (Seq, ...), "data": (list[row], ...)}
    doc = "How things are at `seq`." if kind == "snapshot" else "What has changed."
    name = f"{channel.title()}{kind.title()}"
    made = create_model(name, __base__=_Frame, __doc__=f"{doc} Each row is {what}.", **fields, **more)
    assert issubclass(made, BaseModel)
    return made


_SNAPSHOT: Final[dict[str, Any]] = {
    "resume": (Annotated[str | None, Field(description="a token; null before the last part")], ...),
    "prev_seq": (None, Field(description="a sequence begins")),
    "part": (Annotated[int, Field(ge=1)], ...),
    "parts": (Annotated[int, Field(ge=1)], ...),
}
_UPDATE: Final[dict[str, Any]] = {
    "resume": (Resume, ...),
    "prev_seq": (
        Annotated[int, Field(description="`seq` of the frame with data, or `to_seq` of the gap, before it")],
        ...,
    ),
    "replayed": (Annotated[bool, Field(description="it was missed, or comes out of history")], ...),
    "conflated": (Annotated[int | None, Field(description="so many rows gave way to newer ones")], None),
}
DATA: Final[Mapping[tuple[str, str], type[BaseModel]]] = {
    (channel, kind): _data(channel, kind, more)
    for channel in _ROWS
    for kind, more in (("snapshot", _SNAPSHOT), ("update", _UPDATE))
}
