"""Memory that is given back to the system as soon as it is free: a process that works on large frames now and then
holds no more than it needs at the time."""

import os
import sys
from collections.abc import Mapping
from typing import Final

# polars' allocator (jemalloc) and the C library's, which Arrow is to use, too: one place for all threads, and what is
# free is given back after a tenth of a second. They read it once, when the process begins.
FRUGAL: Final[Mapping[str, str]] = {
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:100,muzzy_decay_ms:0,narenas:1",
    "MALLOC_ARENA_MAX": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}


def frugal() -> None:
    """Begins this process again (the same command, the same number) unless its allocators were told already.

    What polars tells its allocator in a process that starts this one is handed on with the environment: it counts not.
    """
    if not FRUGAL.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **FRUGAL})  # noqa: S606
