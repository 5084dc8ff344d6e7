"""`gridtick reset`."""

from typing import Annotated

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir, resolved


def reset(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm: all stored prices, keys and logs are deleted.")] = False,
) -> None:
    """Delete the data of a stopped stack.

    Example: gridtick reset --yes
    """
    from local.reset import clear
    from pipeline.errors import DataProcessingError

    folder = resolved(data_dir)
    if not yes:
        raise DataProcessingError(f"This deletes all data in {folder}. Say so with `gridtick reset --yes`.", "cli")
    removed = clear(folder)
    print(f"Deleted in {folder}: {', '.join(removed)}" if removed else f"{folder} holds no data of Gridtick.")


def register(app: typer.Typer) -> None:
    app.command()(reset)
