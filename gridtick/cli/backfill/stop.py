"""Ending between two messages when asked to: at Ctrl-C, SIGTERM or a closed terminal."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Stop:
    """`asked`: the signal that asked for the end; 0 as long as none did."""

    asked: int = 0

    @property
    def status(self) -> int:
        """The exit status of a command that such a signal ended."""
        return 128 + self.asked


@contextmanager
def stopping() -> Generator[Stop]:
    """The first signal is noted, a second one does what it did before."""
    stop = Stop()
    held = {each: signal.getsignal(each) for each in _SIGNALS}
    before = {each: handler for each, handler in held.items() if handler not in {None, signal.SIG_IGN}}  # as of `nohup`

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    def note(number: int, _: object) -> None:
        stop.asked = number
        restore()

    for each in before:
        signal.signal(each, note)
    try:
        yield stop
    finally:
        restore()
