"""`gridtick down`."""

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir, resolved


def down(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Stop the stack that runs on a data folder; its data stay.

    Example: gridtick down
    """
    from local import state

    running = state.read(resolved(data_dir))
    if running is None:
        print(f"Nothing runs on {resolved(data_dir)}.")
        return
    print("stopping …", flush=True)
    state.stop(running)
    print("Everything has stopped; the data stay.")


def register(app: typer.Typer) -> None:
    app.command()(down)
