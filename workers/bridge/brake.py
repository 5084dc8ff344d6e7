"""Whether a lane is stopped: a fact in PostgreSQL that outlives the bridge, until a person lets the lane go on."""

import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres import stops
from db.postgres.engine import OUTAGE
from db.postgres.stops import Stop
from service import clock
from service.settings import Lane
from workers.bridge.ports import Outage
from workers.runner import Runner

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
SAY_AGAIN_S: Final = 60.0
_UNKNOWN: Final = "PostgreSQL does not tell whether this lane is stopped: nothing is read until it does."


class Stops(Protocol):
    """The stored stop of one lane. Every call may raise `Outage`."""

    def stop(self, reason: str) -> None: ...
    def reason(self) -> str: ...
    def resume(self) -> None: ...


class Brake:
    """`reason`: why nothing is read, in words; empty: the lane goes."""

    def __init__(self, stops: Stops, clock: Callable[[], float]) -> None:
        self._stops, self._clock = stops, clock
        self._untold = ""
        self._say_at = float("-inf")
        self.reason = ""

    def pull(self, reason: str) -> None:
        """Stops the lane; where PostgreSQL is away the next looks store it."""
        self.reason = self._untold = reason
        with suppress(Outage):
            self._tell()

    def release(self) -> bool:
        """Lets the lane go, if it was stopped: a person says that nothing is to stop it. False where PostgreSQL is
        away: the stored stop still says otherwise."""
        try:
            self._stops.resume()
        except Outage as outage:
            log.warning("the lane's stop cannot be lifted yet", extra={"cause": str(outage)})
            return False
        self.reason = self._untold = ""
        return True

    def holds(self) -> bool:
        """Looks whether the lane is stopped, and says so in the log now and then."""
        before = self.reason
        try:
            self._tell()
            self.reason = self._stops.reason()
        except Outage as outage:
            log.warning("whether the lane is stopped is not known", extra={"cause": str(outage)})
            self.reason = self.reason or _UNKNOWN
        if before and not self.reason:
            log.info("the lane goes on")
            self._say_at = float("-inf")
        self._say()
        return bool(self.reason)

    def _tell(self) -> None:
        if self._untold:
            self._stops.stop(self._untold)
            self._untold = ""

    def _say(self) -> None:
        if self.reason and self._clock() >= self._say_at:
            log.error(self.reason)
            self._say_at = self._clock() + SAY_AGAIN_S


T = TypeVar("T")


class PostgresStops:
    """The row of one lane."""

    def __init__(self, engine: AsyncEngine, runner: Runner, lane: Lane) -> None:
        self._engine, self._runner, self._lane = engine, runner, lane

    def stop(self, reason: str) -> None:
        self._asked(stops.stop(self._engine, Stop(self._lane, reason, clock.now())))

    def reason(self) -> str:
        found = self._asked(stops.stopped(self._engine))
        return next((each.reason for each in found if each.lane == self._lane), "")

    def resume(self) -> None:
        self._asked(stops.resume(self._engine, self._lane))

    def _asked(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.wait(work)
        except OUTAGE as error:
            raise Outage(f"PostgreSQL: {error}") from error
