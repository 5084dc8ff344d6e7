"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="DATA_PROC_DATA_DIR", help="Folder that holds all data of the embedded stack."),
]
DEFAULT_DATA_DIR = Path(".gridtick")


def resolved(data_dir: Path) -> Path:
    """The folder as every process sees it."""
    return data_dir.expanduser().absolute()
