"""What a task has used stays with the process for a while: of the time to read a document a third goes into pages that
were given back to the system just before, and are handed out and cleared again.
"""

import ctypes
import os
from typing import Final

_DECAY_MS: Final = 30_000  # polars' own allocator: the documents of one publication come within seconds
_KEPT: Final = 256 * 1024 * 1024  # bytes: the largest block that is kept, and what is kept in all
_TRIM_THRESHOLD: Final = -1  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
_MMAP_THRESHOLD: Final = -3


def keep() -> None:
    """Call it before polars is imported, which reads the variable then. Elsewhere than on glibc it does half of it."""
    os.environ.setdefault("_RJEM_MALLOC_CONF", f"dirty_decay_ms:{_DECAY_MS},muzzy_decay_ms:{_DECAY_MS}")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _KEPT)
