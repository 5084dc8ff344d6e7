"""Which API a command reads: what GRIDTICK_URL and GRIDTICK_API_KEY say, else the stack that runs on this machine."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from gridtick.cli.options import resolved
from gridtick.client import Client, GridtickError
from local import state
from pipeline.errors import DataProcessingError


@contextmanager
def connected(data_dir: Path) -> Generator[Client]:
    """A client; its errors become sentences of the command line."""
    url, key = _address(data_dir)
    try:
        with Client(url, key) as client:
            yield client
    except GridtickError as error:
        raise DataProcessingError(str(error), "cli") from error


def _address(data_dir: Path) -> tuple[str, str]:
    url, key = os.environ.get("GRIDTICK_URL"), os.environ.get("GRIDTICK_API_KEY")
    if url and key:
        return url, key
    found = _running(resolved(data_dir))
    return url or found[0], key or found[1]


def _running(data_dir: Path) -> tuple[str, str]:
    """Address and demo key of the stack that runs on a folder."""
    running = state.read(data_dir)
    key_file = data_dir / "secrets" / "demo_key"
    if running is None or not key_file.exists():
        raise DataProcessingError(
            f"No stack runs on {data_dir}. Start one with `gridtick up`, or set GRIDTICK_URL and GRIDTICK_API_KEY.",
            "cli",
        )
    return f"http://127.0.0.1:{running.environ['DATA_PROC_API_PORT']}", key_file.read_text().strip()
