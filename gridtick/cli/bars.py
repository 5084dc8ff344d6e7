"""`gridtick bars`: OHLC bars of instruments."""

from typing import Annotated, Literal

import typer

from gridtick.cli.connection import connected
from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.reading import AsOf, End, Instruments, Limit, Start, TimeZone, Wanted, write_read
from gridtick.client import Bar

_SHOWN = (
    "instrument", "start", "end", "open", "high", "low", "close", "volume", "twap", "count", "flags", "is_final",
    "revision",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    app.command("bars")(bars)


def bars(
    instruments: Instruments,
    interval: Annotated[str, typer.Option("--interval", "-i", help="1m, 5m, 15m, 1h or 1d (the local day).")] = "1h",
    start: Start = None,
    end: End = None,
    *,
    block: Annotated[
        str | None,
        typer.Option(help="Only these hours, for 1h and 1d: peak, offpeak, 5x16, 6x16, 2x16, 7x8 or tariff."),
    ] = None,
    fill: Annotated[
        Literal["null", "hold"] | None,
        typer.Option(help="A row for every bucket: an empty one without a price, or with the one that holds then."),
    ] = None,
    as_of: AsOf = None,
    timezone: TimeZone = None,
    limit: Limit = None,
    wanted: Wanted = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Bars over [start, end), labelled by their left edge.

    Example: gridtick bars caiso.rt_5min.TH_NP15_GEN-APND --interval 1d --start 2025-11-01T00:00:00-07:00
    """
    with connected(data_dir) as client:
        span = {"start": start, "end": end, "as_of": as_of, "timezone": timezone, "block": block}
        rows = client.bars(instruments, interval=interval, **span, fill=fill, limit=limit)
        write_read(rows, wanted, Bar, _SHOWN, timezone, () if fill is None else ("filled",))
