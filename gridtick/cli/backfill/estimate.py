"""How fast something goes, and how long the rest of it takes."""

from collections import deque
from typing import Final

OVER_S: Final = 60.0  # a rate is that of the last minute: what was an hour ago says little of what is left


class Count:
    """A number on its way to `total`; told at instants (seconds of any steady clock) that never go back."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self.total, self.now = name, total, 0
        self._seen: deque[tuple[float, int]] = deque()

    def reach(self, count: int, at_s: float) -> None:
        """What is reached now. The first word is where it begins: nothing of it counts as speed."""
        self.now = count
        self._seen.append((at_s, count))
        while len(self._seen) > 2 and self._seen[1][0] <= at_s - OVER_S:
            self._seen.popleft()

    def per_s(self) -> float:
        """The rate; 0 where none is known."""
        if len(self._seen) < 2:
            return 0.0
        (since, before), (at, count) = self._seen[0], self._seen[-1]
        return (count - before) / (at - since) if at > since else 0.0

    def said(self) -> str:
        """E.g. `landed 1,200,000 of 5,000,000, 21,000 a second, about 3 min left`."""
        text, rate, left = f"{self._name} {self.now:,} of {self.total:,}", self.per_s(), self.total - self.now
        if not rate or not left:
            return text
        return f"{text}, {rate:,.{0 if rate >= 10 else 1}f} a second, about {_long(left / rate)} left"


def _long(seconds: float) -> str:
    whole = max(round(seconds), 1)
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
