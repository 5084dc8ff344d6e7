"""Ports that a stack of this user has chosen and not opened yet: no other stack takes them meanwhile.

A claim is a locked file, so it ends with the process that made it, however that ends.
"""

import fcntl
import os
import tempfile
from pathlib import Path
from typing import Final

from local.paths import private_folder

# By port: the locked file and the data folder it is claimed for, as one process may run several stacks.
_HELD: Final[dict[int, tuple[int, Path]]] = {}


def claim(port: int, data_dir: Path) -> bool:
    """Whether the port is this folder's until this process ends; False if it is another stack's."""
    if port in _HELD:
        return _HELD[port][1] == data_dir
    folder = private_folder(Path(tempfile.gettempdir()) / f"gridtick-ports-{os.getuid()}")
    file = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _HELD[port] = (file, data_dir)
    return True
