"""A disk with less room than before."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from service.settings import MIB

ROOM: Final = 3072 * MIB  # so much may be filled before intake stops: others use the disk too
BALLAST: Final = 4096 * MIB


@contextmanager
def filled(folder: Path) -> Generator[None]:
    """The disk of a folder with `BALLAST` bytes less on it."""
    path = folder / "ballast"
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, BALLAST)
    try:
        yield
    finally:
        path.unlink()
