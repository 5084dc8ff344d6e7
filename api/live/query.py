"""The parameters of the stream as Server-Sent Events, and the subscription that they are."""

from typing import Annotated, Literal

import msgspec
from pydantic import Field

from api.live.asked import Subscribe
from api.live.pending import Policy
from api.problems import invalid
from api.query import InstrumentId, Strict
from api.values import Instant, MarketName, ProductName, Text


class StreamQuery(Strict):
    """Of instruments, or of a market and product."""

    channel: Literal["prices", "bars", "curves", "ticks", "demo"]
    instrument: Annotated[list[InstrumentId], Field(default_factory=list, max_length=100)]
    market: MarketName | None = None
    product: ProductName | None = None
    interval: Literal["1m", "5m", "15m", "1h", "1d"] | None = None
    policy: Policy | None = None
    resume: Annotated[Text, Field(max_length=200)] | None = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    speed: Annotated[float, Field(ge=0, le=86_400)] | None = None


def asked_by(ask: StreamQuery, last_event: str | None) -> Subscribe:
    """The one subscription, of number 1; what a browser sends when it comes again wins over where it began."""
    if ask.product is not None and ask.market is None:
        raise invalid("product", "needs a market.")
    asked: dict[str, object] = {"op": "subscribe", "id": 1, "channel": ask.channel, "interval": ask.interval}
    asked |= {"instruments": ask.instrument or None, "policy": ask.policy, "resume": last_event or ask.resume}
    asked |= {"from": None, "speed": None} if last_event else {"from": ask.from_, "speed": ask.speed}
    asked["filter"] = None if ask.market is None else {"market": ask.market, "product": ask.product}
    try:
        return msgspec.convert(asked, Subscribe)
    except msgspec.ValidationError as error:  # the query has bounds of its own
        raise invalid("Last-Event-ID", f"is no token of this stream: {error}. Send the last id as it came.") from None
