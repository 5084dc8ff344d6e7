"""When a request is sent again, and how long to wait before that."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from gridtick.client.asked import Ask

# What is over before an answer came. A read that took too long is not among them: it would take as long again.
_BROKEN: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
)
_LATER: Final = frozenset({429, 503})
_OF_NOW: Final = frozenset({408, 425, 429})  # of the refusals that are no fault of the server's


def full_jitter(turn: int, base: float, cap: float, chance: Callable[[], float] = random.random) -> float:
    """Anything up to a bound that doubles with each turn, until the cap: those who were cut off together come back
    one by one."""
    return chance() * min(cap, base * 2.0 ** min(turn, 30))


def seconds(value: str | None) -> float | None:
    """What a `Retry-After` says."""
    return float(value) if value is not None and value.isascii() and value.isdecimal() else None


def may_pass(status: int) -> bool:
    """Whether what is refused now may be answered later."""
    return status >= 500 or status in _OF_NOW


@dataclass(frozen=True)
class Retries:
    """`times` a request is sent again at most; `longest`: a wait of more seconds is left to whoever asked."""

    times: int = 3
    base: float = 0.25
    cap: float = 8.0
    longest: float = 30.0
    chance: Callable[[], float] = random.random

    def after_failure(self, ask: Ask, turn: int, error: httpx.HTTPError) -> float | None:
        """Seconds to wait after a connection failed; None: it is not sent again."""
        if not isinstance(error, _BROKEN) or not self._may(ask, turn):
            return None
        return self._jitter(turn)

    def after_refusal(self, ask: Ask, turn: int, answer: httpx.Response) -> float | None:
        """Seconds to wait after a refusal that says when to come again; None: it is not sent again."""
        wait = seconds(answer.headers.get("retry-after")) if answer.status_code in _LATER else None
        if wait is None or wait > self.longest or not self._may(ask, turn):
            return None
        return wait + self._jitter(turn)

    def _may(self, ask: Ask, turn: int) -> bool:
        return turn < self.times and ask.is_repeatable

    def _jitter(self, turn: int) -> float:
        return full_jitter(turn, self.base, self.cap, self.chance)
