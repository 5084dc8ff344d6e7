"""`gridtick up`."""

import sys
from typing import Annotated

import typer

from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir, resolved


def up(
    feed: Annotated[str, typer.Option(help="`demo`, `none`, or a path whose documents are sent once.")] = "demo",
    speed: Annotated[float, typer.Option(min=0.001, help="How many times faster than real time the feed runs.")] = 1.0,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when everything runs; `gridtick down` stops it.")
    ] = False,
) -> None:
    """Start the whole of Gridtick on this machine: servers, bridge, workers, API, task monitor and a feed.

    Example: gridtick up --feed demo
    """
    from local import apps
    from local import up as stack

    apps.refuse_unknown_feed(feed)
    folder = resolved(data_dir)
    if detach:
        _in_background(feed, speed, folder)
    else:
        stack.run(stack.Up(folder, feed, speed), say)


def _in_background(feed: str, speed: float, folder: "DataDir") -> None:
    from local.background import detach
    from local.up import detached_banner

    command = [
        sys.executable,
        "-m",
        "gridtick.cli.main",
        "up",
        "--data-dir",
        str(folder),
        "--feed",
        feed,
        "--speed",
        str(speed),
    ]
    print(detached_banner(detach(command, folder, folder / "logs" / "up.log")))


def say(line: str) -> None:
    """A line of progress, at once."""
    print(line, flush=True)


def register(app: typer.Typer) -> None:
    app.command()(up)
