"""What a lane asks of the process that serves it."""

import os
from typing import Final

from service.settings import Lane

_STEPS_BACK: Final = 10  # of 19: history gets what is left over, but always something


def give_way(lane: Lane) -> None:
    """Lets live work go first on this machine's cores, where this process and its children serve history."""
    if lane == "backfill":
        os.nice(_STEPS_BACK)
