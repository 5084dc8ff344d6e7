"""Starts programs together, watches them, and stops them in order."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from local.process import Child, Program

_LOOK: Final = 0.05
_ROOM_AGAIN: Final = 5.0  # seconds

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a program may die within `within` seconds before all stops, and the waits in between."""

    deaths: int = 6
    within: float = 120.0
    first_wait: float = 0.5
    longest_wait: float = 15.0


class _Watched:
    """A program with its present child and the history of its crashes."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.child = Child(program)
        self.crashes: list[float] = []
        self.restarts = 0
        self.start_again_at: float | None = None
        self.finished = False

    def crashed(self, now: float, patience: Patience) -> None:
        """Plan the next start; raises when it has died too often."""
        self.crashes = [*(t for t in self.crashes if now - t < patience.within), now]
        if len(self.crashes) >= patience.deaths:
            raise self.child.failure(
                f"died {len(self.crashes)} times within {patience.within:.0f} s, so everything was stopped."
            )
        wait = patience.first_wait * 2 ** (len(self.crashes) - 1)
        self.start_again_at = now + min(patience.longest_wait, wait)

    def start_again(self) -> None:
        self.child.end(time.monotonic())  # what it had started itself must not stay
        self.child = Child(self.program)
        self.restarts += 1
        self.start_again_at = None


class Supervisor:
    """All calls belong in one thread, the one that lives as long as the children shall.

    `room`: whether the disk has room. While it has none, what died is no crash, and is not started again.
    """

    def __init__(self, say: Say, patience: Patience | None = None, room: Callable[[], bool] = lambda: True) -> None:
        self._say = say
        self._patience = patience or Patience()
        self._room = room
        self._groups: list[list[_Watched]] = []

    def start(self, programs: Sequence[Program]) -> None:
        """Start the programs side by side and return when all are ready.

        Raises `DataProcessingError` with the end of its log for one that ends or is not ready in time.
        """
        group: list[_Watched] = []
        self._groups.append(group)
        for program in programs:
            group.append(_Watched(program))  # noqa: PERF401  one that cannot start leaves the others to be stopped
        began = time.monotonic()
        waiting = list(group)
        while waiting:
            waiting = [watched for watched in waiting if not self._is_ready(watched, began)]
            time.sleep(_LOOK)

    def _is_ready(self, watched: _Watched, began: float) -> bool:
        program, child = watched.program, watched.child
        if child.exit_status is not None and not (program.once and child.exit_status == 0):
            raise child.failure("ended while it was starting.")
        # Its ports first: an answer, and what is said in asking, could be another program's.
        if child.has_its_ports() and program.ready():
            self._say(f"{program.name} is ready after {time.monotonic() - began:.1f} s")
            return True
        if time.monotonic() - began > program.ready_within:
            raise child.failure(f"was not ready within {program.ready_within:.0f} s.")
        return False

    def look(self) -> bool:
        """Start again what died, as its turn comes; True if a process changed.

        Raises `DataProcessingError` when one dies again and again."""
        changed = [self._look_at(watched) for group in self._groups for watched in group]
        return any(changed)

    def _look_at(self, watched: _Watched) -> bool:
        now = time.monotonic()
        if watched.finished:
            return False
        if watched.start_again_at is not None:
            return now >= watched.start_again_at and self._started_again(watched, now)
        status = watched.child.exit_status
        if status is None:
            return False
        return self._ended(watched, status, now)

    def _started_again(self, watched: _Watched, now: float) -> bool:
        if not self._room():
            watched.start_again_at = now + _ROOM_AGAIN
            return False
        watched.start_again()
        return True

    def _ended(self, watched: _Watched, status: int, now: float) -> bool:
        if watched.program.once and status == 0:
            watched.finished = True
            self._say(f"{watched.program.name} has finished")
            return True
        if self._room():
            self._say(f"{watched.program.name} ended with status {status} and is started again")
            watched.crashed(now, self._patience)
        else:
            self._say(f"{watched.program.name} ended: the disk is full. It is started again once there is room.")
            watched.start_again_at = now
        return True

    def pids(self) -> dict[str, int]:
        """Process id of every program that runs."""
        return {w.program.name: w.child.pid for group in self._groups for w in group if w.child.exit_status is None}

    def restarts(self) -> dict[str, int]:
        """How often every program was started again."""
        return {watched.program.name: watched.restarts for group in self._groups for watched in group}

    def stop(self) -> None:
        """Stop the groups, the last started first; within a group side by side."""
        while self._groups:
            self.stop_last()

    def stop_last(self) -> None:
        """Stop the group that was started last, also one whose start failed."""
        group = self._groups.pop()
        began = time.monotonic()
        for watched in group:
            watched.child.ask_to_stop()
        for watched in group:
            watched.child.end(began + watched.program.stop_within)
