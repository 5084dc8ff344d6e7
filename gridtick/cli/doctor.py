"""`gridtick doctor`."""

from typing import Annotated

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir, resolved


def doctor(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    settings: Annotated[
        bool, typer.Option("--settings", help="List every setting with its default and meaning.")
    ] = False,
) -> None:
    """Check this machine and say what to do. Exit status 1 if something would keep Gridtick from running.

    Example: gridtick doctor --settings
    """
    if settings:
        _settings()
        return
    from local.doctor import findings

    troubles = 0
    for finding in findings(resolved(data_dir)):
        troubles += not finding.fine
        print(f"  {'ok ' if finding.fine else 'FIX'}  {finding.name:<26} {finding.said}", flush=True)
        if not finding.fine:
            print(f"       {'':<26} → {finding.fix}", flush=True)
    if troubles:
        raise typer.Exit(1)


def _settings() -> None:
    from service.settings import described

    for name, default, meaning in described():
        print(f"{name:<34} {meaning} (default: {default or 'empty'})")


def register(app: typer.Typer) -> None:
    app.command()(doctor)
