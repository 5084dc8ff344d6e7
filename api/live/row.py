"""What is sent: rows as JSON text, each encoded once, however many clients get it."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from db.redis.landed import Kind

Channel = Literal["prices", "bars", "curves", "ticks"]
CHANNELS: Final[tuple[Channel, ...]] = ("prices", "bars", "curves", "ticks")
KIND_OF: Final[dict[Channel, Kind]] = {"prices": "latest", "bars": "bar", "curves": "curve", "ticks": "tick"}
CHANNEL_OF: Final[dict[Kind, Channel]] = {kind: channel for channel, kind in KIND_OF.items()}

Key = tuple[str, str, str, int]


class Row(NamedTuple):
    """`name`: the instrument, or the curve; `interval` of bars; `start_us` of a bar, a tick or a curve's session, 0 of
    latest prices, of which only the newest counts. Of two with equal `key` the later stands for both. `at_us`: which
    time it tells of. `ver` of bars grows with what it shows."""

    tenant: str
    name: str
    market: str
    product: str
    interval: str
    start_us: int
    at_us: int
    ver: int
    text: bytes

    @property
    def key(self) -> Key:
        return self.tenant, self.name, self.interval, self.start_us


class Change(NamedTuple):
    """What one entry of the landed log has changed, under its number in its channel. `position`: its id there."""

    channel: Channel
    seq: int
    position: str
    rows: Sequence[Row]


class Shown(NamedTuple):
    """How things are after an entry, or as of an empty channel: its number and position, and rows."""

    epoch: str
    seq: int
    position: str
    rows: Sequence[Row]
