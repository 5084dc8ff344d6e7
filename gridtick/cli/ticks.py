"""`gridtick ticks`: ticks of instruments."""

from typing import Annotated

import typer

from gridtick.cli.connection import connected
from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.reading import AsOf, End, Instruments, Limit, Start, TimeZone, Wanted, write_read
from gridtick.client import Tick

_SHOWN = ("instrument", "interval_start", "interval_end", "price", "volume", "unit", "flags", "revision", "known_at")


def register(app: typer.Typer) -> None:
    app.command("ticks")(ticks)


def ticks(
    instruments: Instruments,
    start: Start = None,
    end: End = None,
    *,
    as_of: AsOf = None,
    revisions: Annotated[
        bool, typer.Option("--revisions", help="Every publication that changed a price, not the last one alone.")
    ] = False,
    timezone: TimeZone = None,
    limit: Limit = None,
    wanted: Wanted = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Ticks as they are now, or as they were known at an instant, over [start, end).

    Example: gridtick ticks NG_HH_BALMO --limit 10 --format csv
    """
    with connected(data_dir) as client:
        span = {"start": start, "end": end, "as_of": as_of, "timezone": timezone}
        rows = client.ticks(instruments, **span, revisions=revisions, limit=limit)
        write_read(rows, wanted, Tick, _SHOWN, timezone)
