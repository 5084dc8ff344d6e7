"""What interrupts a stream: whether another connection may mend it, and how long to wait before that."""

from typing import Any

from gridtick.client.errors import Unreachable
from gridtick.client.stream.asked import Options
from gridtick.client.stream.backoff import Backoff
from gridtick.client.stream.errors import Lost, StreamError, StreamStalled
from gridtick.client.stream.messages import CaughtUp, Heartbeat, Message, Reconnecting, Update


class Interruptions:
    """Of one stream, over its connections. `is_past`: it begins in history."""

    def __init__(self, options: Options, backoff: Backoff | None = None, *, is_past: bool = False) -> None:
        self._options = options
        self._is_past = is_past
        self._backoff = backoff or Backoff(options.patience)
        self._breaks = 0  # of the sequence, since a connection was good
        self._known = ""  # how far it was, by the heartbeats

    def hear(self, message: Message[Any]) -> None:
        """Looks whether a message shows that the connection is good."""
        if isinstance(message, CaughtUp):
            self._breaks, self._is_past = 0, False
        if self._is_good(message):
            self._backoff.good()

    def after(self, error: Lost | StreamError, resume: str | None) -> Reconnecting[Any]:
        """What is said before the next connection. Raises where there is to be none."""
        lost = self._mended(error, resume)
        wait = self._backoff.next(lost.least)
        if wait is None:
            told = f"{lost.reason}, and within {self._options.patience:g} seconds no connection was good."
            raise Unreachable(f"{told[0].upper()}{told[1:]}") from error
        return Reconnecting(reason=lost.reason, wait_seconds=wait)

    def _is_good(self, message: Message[Any]) -> bool:
        """A heartbeat alone is no sign: it comes on a connection, too, on which nothing can be told. Of history it is
        where it is further on; live, the server knows more each time, whatever it can tell."""
        match message:
            case CaughtUp() | Update() | Heartbeat(resume=str()):
                return True
            case Heartbeat(known_until=str(known)) if self._is_past and known > self._known:
                self._known = known
                return True
            case _:
                return False

    def _mended(self, error: Lost | StreamError, resume: str | None) -> Lost:
        """What another connection may mend. Raises what it does not."""
        if isinstance(error, StreamStalled) and self._options.on_stall == "reconnect":
            return Lost(error.reason)
        self._breaks += isinstance(error, Lost) and error.shown is not None
        shown = error.shown if isinstance(error, Lost) else error
        if shown is not None and (isinstance(error, StreamError) or self._breaks > 1):
            shown.resume = resume
            raise shown
        assert isinstance(error, Lost)
        return error
