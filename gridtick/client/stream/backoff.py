"""How long to wait before the next connection."""

import random
import time
from collections.abc import Callable
from typing import Final

from gridtick.client.retrying import full_jitter

BASE: Final = 0.5
CAP: Final = 30.0


class Backoff:
    """Random waits that grow, until a connection is good. `patience`: seconds that may pass without one."""

    def __init__(
        self,
        patience: float,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = patience
        self._chance = chance
        self._clock = clock
        self._turn = 0
        self._since: float | None = None

    def next(self, least: float = 0.0) -> float | None:
        """Seconds to wait, `least` at least; None where the patience is over before that."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        wait = least + full_jitter(self._turn, BASE, CAP, self._chance)
        self._turn += 1
        return wait if now + wait - self._since <= self._patience else None

    def good(self) -> None:
        """The connection works: the next wait is a short one."""
        self._turn, self._since = 0, None
