"""`gridtick bridge`: lets a lane go on that was stopped because too much of it could not be read."""

from typing import Annotated

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.system import settings_of
from service.settings import LANES, Lane

commands = typer.Typer(no_args_is_help=True, help="The bridge from the raw topic to the workers.")


@commands.callback()
def _bridge() -> None:
    """One command is a group all the same."""


@commands.command()
def resume(
    *,
    lane: Annotated[Lane | None, typer.Option(help="Which one; all that are stopped when left away.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Let a stopped bridge go on where it was, once producer or parser are mended.

    It stops when more than 5 % of the last 10,000 messages, or 100 in a row, cannot be read; `gridtick status` says
    so. What it has read by then are dead letters, and stay so until `gridtick dlq replay`.

    Example: gridtick bridge resume
    """
    from db.postgres import stops
    from gridtick.cli.letters.stores import asked, engine_of

    engine = engine_of(settings_of(data_dir))
    resumed = [each for each in ([lane] if lane else LANES) if asked(stops.resume(engine, each))]
    for each in resumed:
        print(f"The lane {each} goes on within seconds; `gridtick status` shows how far it is behind.")
    if not resumed:
        print("No lane is stopped." if lane is None else f"The lane {lane} is not stopped.")


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="bridge")
