"""What clients send: one JSON object a message, read strictly. The messages of `/asyncapi.json` are these structs."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from api.live.pending import Policy

Number = Annotated[int, Meta(ge=1, le=2**31 - 1, description="of the subscription, chosen by the client")]
Interval = Literal["1m", "5m", "15m", "1h", "1d"]


class Auth(Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="auth"):
    """Says whose connection this is. Answered by `welcome`."""

    key: Annotated[str, Meta(max_length=200)]


class Filter(Struct, frozen=True, forbid_unknown_fields=True):
    """All instruments of a market, or of one of its products; those that appear later, too."""

    market: Annotated[str, Meta(max_length=64, examples=["caiso"])]
    product: Annotated[str, Meta(max_length=64, examples=["rt_5min"])] | None = None


class Subscribe(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="subscribe", rename={"from_": "from"}
):
    """Subscribes to a channel: of instruments (of `curves` their ids), or of a filter. Answered by `subscribed`."""

    id: Number
    channel: Literal["prices", "bars", "curves", "ticks", "demo"]
    instruments: Annotated[list[Annotated[str, Meta(max_length=256)]], Meta(min_length=1, max_length=1000)] | None = (
        None
    )
    filter: Filter | None = None
    interval: Annotated[Interval, Meta(description="of bars; without it all")] | None = None
    policy: Annotated[Policy, Meta(description="what happens to what cannot be sent at once")] | None = None
    resume: Annotated[str, Meta(max_length=200, description="a token of before")] | None = None
    from_: Annotated[datetime, Meta(tz=True, description="an instant of the past, to begin at")] | None = None
    speed: (
        Annotated[float, Meta(ge=0, le=86_400, description="with `from`: seconds of it in each second; 0: all at once")]
        | None
    ) = None


class Unsubscribe(Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="unsubscribe"):
    """Ends a subscription. Answered by `subscribed`."""

    id: Number


class Ping(Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="ping"):
    """Answered by `pong`."""

    id: Annotated[int, Meta(ge=0, le=2**53)] | None = None


Asked = Auth | Subscribe | Unsubscribe | Ping
_DECODER: msgspec.json.Decoder[Asked] = msgspec.json.Decoder(Asked)


def read(text: str | bytes) -> Asked:
    """The message. Raises `ValueError`, which says what is wrong with it."""
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
