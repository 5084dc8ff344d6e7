"""So many requests a minute, spread or at once: the generic cell rate algorithm (ITU-T I.371), one number a subject."""

import math
from collections import OrderedDict
from typing import Final, NamedTuple

WINDOW_S: Final = 60.0
_ALMOST_S: Final = 1e-6  # sums of floats are no exact seconds
MOST: Final = 100_000  # subjects: who was quiet for a window is as new, so that the oldest may go


class Left(NamedTuple):
    """What is left of a quota, and in how many seconds all of it is there again."""

    quota: int
    remaining: int
    reset_s: int


class Refused(NamedTuple):
    """In how many seconds the next request is taken."""

    quota: int
    retry_s: int


class Quota:
    """Takes requests by subject. Instants are seconds of one clock."""

    def __init__(self) -> None:
        self._due: OrderedDict[str, float] = OrderedDict()

    def take(self, subject: str, quota: int, now: float) -> Left | Refused:
        """One request of a subject that has `quota` a minute."""
        step = WINDOW_S / quota
        due = max(self._due.get(subject, now), now)
        ahead = due - now + step
        if ahead > WINDOW_S + _ALMOST_S:
            return Refused(quota, math.ceil(ahead - WINDOW_S))
        self._keep(subject, now + ahead)
        return Left(quota, max(0, round((WINDOW_S - ahead) / step)), math.ceil(ahead))

    def give_back(self, subject: str, quota: int) -> None:
        """Takes back what was taken: another quota has refused."""
        self._due[subject] -= WINDOW_S / quota

    def _keep(self, subject: str, due: float) -> None:
        self._due[subject] = due
        self._due.move_to_end(subject)
        if len(self._due) > MOST:
            self._due.popitem(last=False)
