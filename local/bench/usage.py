"""What a set of process trees cost: CPU-seconds and resident memory, exited children included."""

from collections.abc import Iterable
from typing import NamedTuple

import psutil


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
