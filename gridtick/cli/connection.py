"""Which API a command reads: that of GRIDTICK_URL with GRIDTICK_API_KEY (or its file), else this machine's stack."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from gridtick.cli.options import resolved
from gridtick.client import Client, GridtickError
from gridtick.client.keys import of_environment
from local import state
from pipeline.errors import DataProcessingError


@contextmanager
def connected(data_dir: Path) -> Generator[Client]:
    """A client; its errors become sentences of the command line."""
    try:
        with _client(resolved(data_dir)) as client:
            yield client
    except GridtickError as error:
        raise DataProcessingError(str(error), "cli") from error


def _client(data_dir: Path) -> Client:
    """Of the address and key that are set. The demo key goes to the stack on the folder and nowhere else."""
    url, key = os.environ.get("GRIDTICK_URL"), of_environment()
    if url and not key:
        raise DataProcessingError(
            f"GRIDTICK_URL is {url}, but no key for it is set. Set GRIDTICK_API_KEY (or "
            "GRIDTICK_API_KEY_FILE), or unset GRIDTICK_URL to ask the "
            "stack of this machine.",
            "cli",
        )
    if url:
        return Client(url, key)
    # With a transport of its own it takes no proxy from the environment: that would be shown the key.
    return Client(_running(data_dir), key or _demo_key(data_dir), transport=httpx.HTTPTransport())


def _running(data_dir: Path) -> str:
    """The address of the stack that runs on a folder."""
    running = state.read(data_dir)
    port = running.environ.get("DATA_PROC_API_PORT") if running else None
    if port is None:
        raise DataProcessingError(
            f"No stack runs on {data_dir}. Start one with `gridtick up`, name its folder with --data-dir, or set "
            "GRIDTICK_URL and GRIDTICK_API_KEY.",
            "cli",
        )
    return f"http://127.0.0.1:{port}"


def _demo_key(data_dir: Path) -> str:
    try:
        return (data_dir / "secrets" / "demo_key").read_text().strip()
    except OSError as error:
        raise DataProcessingError(
            f"The demo key of the stack on {data_dir} cannot be read ({error.strerror}). Set GRIDTICK_API_KEY.", "cli"
        ) from None
