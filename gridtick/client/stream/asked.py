"""What a stream is asked for."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict

from gridtick.client.errors import GridtickError
from gridtick.client.given import Instant, Names, iso, names_of, there
from gridtick.client.stream.frames import ID

Channel: TypeAlias = Literal["prices", "bars", "ticks", "curves", "demo"]


class Wanted(TypedDict, total=False):
    """Of a stream. `instruments` (of curves their ids), or a `market` and maybe a `product`; `interval` of bars.

    `policy`: what happens to what a slow program cannot take. `resume`: a token, behind which it begins; or `from_` an
    instant of the past, `speed` seconds of it in each second (0, the default: as fast as it can be read).

    `fill` (true): what a gap leaves out is fetched. `on_stall`: raise `StreamStalled` after two missed heartbeats, or
    reconnect. `patience`: seconds without a good connection, until it raises (300; `math.inf`: never).
    """

    instruments: Names
    market: str | None
    product: str | None
    interval: str | None
    policy: Literal["conflate", "skip", "close"] | None
    resume: str | None
    from_: Instant | None
    speed: float | None
    fill: bool
    on_stall: Literal["raise", "reconnect"]
    patience: float


@dataclass(frozen=True, kw_only=True)
class Options:
    fill: bool = True
    on_stall: Literal["raise", "reconnect"] = "raise"
    patience: float = 300.0


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """Raises `GridtickError` for what contradicts itself."""

    channel: Channel
    instruments: Names = ()
    market: str | None = None
    product: str | None = None
    interval: str | None = None
    policy: str | None = None
    resume: str | None = None
    from_: Instant | None = None
    speed: float | None = None

    def __post_init__(self) -> None:
        named = bool(names_of(self.instruments))
        if named == (self.market is not None) and (named or self.channel != "demo"):
            raise GridtickError("A stream is of instruments or of a market: give one of the two.")
        if self.product is not None and self.market is None:
            raise GridtickError("A product is one of a market: give `market` too.")
        if self.resume is not None and self.from_ is not None:
            raise GridtickError("`resume` goes on behind a message, `from_` begins at an instant: give one of the two.")
        if self.speed is not None and self.from_ is None:
            raise GridtickError("`speed` is that of history: give `from_` too.")

    def message(self, resume: str | None) -> dict[str, Any]:
        """The words that subscribe, behind a token where there is one."""
        told: dict[str, object] = {"op": "subscribe", "id": ID, "channel": self.channel}
        if self.market is not None:
            told["filter"] = there({"market": self.market, "product": self.product})
        elif names := names_of(self.instruments):
            told["instruments"] = names
        told |= there({"interval": self.interval, "policy": self.policy, "resume": resume})
        return told if resume is not None else told | there({"from": iso(self.from_), "speed": self.speed})
