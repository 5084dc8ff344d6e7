"""How many messages a client may send: a bucket that fills again."""

from collections.abc import Callable
from typing import ClassVar


class Pace:
    PER_SECOND: ClassVar = 20
    AT_ONCE: ClassVar = 60

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left = float(self.AT_ONCE)
        self._at = monotonic()

    def allows(self) -> bool:
        """Whether one more may come now."""
        now = self._monotonic()
        self._left = min(self.AT_ONCE, self._left + (now - self._at) * self.PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
