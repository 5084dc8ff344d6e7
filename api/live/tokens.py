"""Resume tokens: up to where a subscription has been sent everything.

A token is text for the client to give back as it is. It is not signed: whoever makes one up gets what their key may see
from another place of the log on.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Self

from api.live.row import CHANNELS, Channel
from service import clock

_FORM: Final = re.compile(
    r"([pbct])([0-9a-f]{32})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15}-\d{1,15})\.(\d{1,17})"
    r"(?:\.(\d{1,9})\.(\d{1,10}))?",
    re.ASCII,
)
_PAST_FORM: Final = re.compile(r"([pbct])@(\d{1,16})\.(\d{1,5}\.\d{6})\.(\d{1,15})", re.ASCII)
_LETTERS: Final[dict[str, Channel]] = {channel[0]: channel for channel in CHANNELS}


@dataclass(frozen=True, slots=True)
class Token:
    """`seq`: of the last frame that was sent; `head`: the number of the channel's last entry up to `position`, an id of
    the log; `known_us`: all that was published before this instant (microseconds) had been sent by then; `rows`: so
    many of the next change, which comes in several frames, were sent as well, to a selection of this `mark`."""

    channel: Channel
    epoch: str
    seq: int
    head: int
    position: str
    known_us: int
    rows: int = 0
    mark: int = 0

    def text(self) -> str:
        whole = f"{self.channel[0]}{self.epoch}.{self.seq}.{self.head}.{self.position}.{self.known_us}"
        return f"{whole}.{self.rows}.{self.mark}" if self.rows else whole

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for a text that is no token."""
        found = _FORM.fullmatch(text)
        if found is None:
            return None
        letter, epoch, seq, head, position, *more = found.groups()
        known, rows, mark = (int(each or 0) for each in more)
        return cls(_LETTERS[letter], epoch, int(seq), int(head), position, known, rows, mark)


class Past(NamedTuple):
    """Where in history a subscription is: all that was known at an instant, and no more, has been sent. It goes on at
    so many seconds of history in each second (0: as fast as it can be read). `seq`: of the last frame that was sent;
    `told`: whether what was known has been sent to who is to get the rest, too."""

    channel: Channel
    at: datetime
    speed: float
    seq: int = 0
    told: bool = False

    def text(self) -> str:
        return f"{self.channel[0]}@{clock.to_us(self.at)}.{self.speed:.6f}.{self.seq}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for a text that is no such token."""
        found = _PAST_FORM.fullmatch(text)
        if found is None:
            return None
        letter, at_us, speed, seq = found.groups()
        return cls(_LETTERS[letter], clock.from_us(int(at_us)), float(speed), int(seq), told=True)
