"""Up to where each channel has been handed out, and what is sure by then."""

from dataclasses import dataclass

from api.live.row import CHANNEL_OF, CHANNELS, Change, Channel
from api.live.tokens import Token
from db.redis.landed import Entry
from db.redis.live import Head


@dataclass(slots=True)
class Place:
    """`head`: the number of the channel's last entry up to `position`; all that was published before `known_us` has
    been handed out."""

    channel: Channel
    epoch: str = ""
    head: int = 0
    position: str = "0-0"
    known_us: int = 0

    def token(self, seq: int) -> str:
        """What resumes here, after a frame of a number."""
        return Token(self.channel, self.epoch, seq, self.head, self.position, self.known_us).text()

    def at(self, change: Change) -> str:
        """What resumes after a change."""
        return Token(self.channel, self.epoch, change.seq, change.seq, change.position, self.known_us).text()


class Places:
    """Of all channels."""

    def __init__(self) -> None:
        self.of: dict[Channel, Place] = {channel: Place(channel) for channel in CHANNELS}
        self._sure: tuple[str, int] | None = None

    def begin(self, head: Head) -> None:
        """Where the log is followed from; of what is sure by then nothing is known."""
        for kind, channel in CHANNEL_OF.items():
            self.of[channel] = Place(channel, head.counters.epoch, head.counters.last.get(kind, 0), head.position)
        self._sure = None

    def advance(self, channel: Channel, entries: list[Entry]) -> None:
        """Entries, of all channels, were handed out as far as a channel is concerned."""
        place = self.of[channel]
        for entry in entries:
            place.position = entry.id
            if CHANNEL_OF[entry.kind] == channel:
                place.head = entry.seq
        self.settle()

    def sure(self, position: str, known_us: int) -> None:
        """All that was published before an instant is in the log up to a position."""
        self._sure = position, known_us
        self.settle()

    def settle(self) -> None:
        if self._sure is None:
            return
        position, known_us = self._sure
        for place in self.of.values():
            if _order(place.position) >= _order(position):
                place.known_us = max(place.known_us, known_us)


def _order(position: str) -> tuple[int, int]:
    ms, _, number = position.partition("-")
    return int(ms), int(number)
