"""`gridtick ticks`: ticks of instruments."""

import typer

from gridtick.cli.connection import connected
from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.output import write
from gridtick.cli.reading import End, Instruments, Limit, Start, Wanted
from gridtick.client import Tick

_SHOWN = ("instrument", "interval_start", "interval_end", "price", "volume", "unit", "flags", "revision", "known_at")


def register(app: typer.Typer) -> None:
    app.command("ticks")(ticks)


def ticks(
    instruments: Instruments,
    start: Start = None,
    end: End = None,
    limit: Limit = None,
    wanted: Wanted = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Ticks as they are now, over [start, end).

    Example: gridtick ticks NG_HH_BALMO --limit 10 --format csv
    """
    with connected(data_dir) as client:
        write(client.ticks(instruments, start=start, end=end, limit=limit), wanted, Tick, _SHOWN)
