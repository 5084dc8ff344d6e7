"""What a set of process trees cost: CPU-seconds and resident memory, exited children included."""

import time
from collections.abc import Iterable
from typing import Final, NamedTuple

import psutil

_QUIET_S: Final = 0.5


class Usage(NamedTuple):
    """CPU-seconds used so far and resident bytes now, of one tree of processes."""

    cpu_s: float
    resident: int
    largest: int  # resident bytes of the largest single process


def of_tree(pid: int) -> Usage:
    """Usage of a process and all its descendants; a process that is gone counts nothing."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return Usage(0.0, 0, 0)
    return _sum(_of_one(process) for process in family)


def _of_one(process: psutil.Process) -> tuple[float, int]:
    try:
        times = process.cpu_times()
        # children_* are those that ended and were waited for: they are in no tree any more.
        cpu = times.user + times.system + times.children_user + times.children_system
        return cpu, process.memory_info().rss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0, 0


def _sum(parts: Iterable[tuple[float, int]]) -> Usage:
    seen = list(parts)
    return Usage(sum(c for c, _ in seen), sum(m for _, m in seen), max((m for _, m in seen), default=0))


def until_quiet(pid: int, limit_s: float = 30.0) -> None:
    """Waits until a tree of processes has done with starting: nearly no CPU for half a second."""
    end = time.monotonic() + limit_s
    before = of_tree(pid).cpu_s
    while time.monotonic() < end:
        time.sleep(_QUIET_S)
        now = of_tree(pid).cpu_s
        if now > 0.5 and now - before < _QUIET_S * 0.05:
            return
        before = now
