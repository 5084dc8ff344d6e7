"""Memory that is given back to the system as soon as it is free: a process that works on large frames now and then
holds no more than it needs at the time."""

import os
import sys
from collections.abc import Mapping
from typing import Final

# polars' allocator (jemalloc) and the C library's: one place for all threads, and nothing kept for later. They read it
# once, when the process begins. It costs a few per cent of CPU.
FRUGAL: Final[Mapping[str, str]] = {
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0,narenas:1",
    "MALLOC_ARENA_MAX": "1",
}


def frugal() -> None:
    """Begins this process again (the same command, the same number) unless its allocators were told already."""
    if not FRUGAL.keys() <= os.environ.keys():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**FRUGAL, **os.environ})  # noqa: S606
