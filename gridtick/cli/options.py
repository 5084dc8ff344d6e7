"""Options that several commands share."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import DataProcessingError

DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="DATA_PROC_DATA_DIR", help="Folder that holds all data of the embedded stack."),
]
DEFAULT_DATA_DIR = Path(".gridtick")


def resolved(data_dir: Path) -> Path:
    """The folder as every process sees it."""
    return data_dir.expanduser().absolute()


def instant(text: str) -> datetime:
    """What `--since` says. Raises `DataProcessingError` for what is no instant."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise DataProcessingError(
            f"--since {text} is no instant. Write it with an offset, e.g. 2025-11-01T00:00:00Z.", "cli"
        )
    return found
