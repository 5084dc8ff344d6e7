"""`gridtick latest`: the latest prices."""

from typing import Annotated, Literal

import typer

from gridtick.cli.connection import connected
from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.reading import AsOf, Limit, TimeZone, Wanted, write_read
from gridtick.client import LatestPrice

_SHOWN = ("instrument", "interval_start", "price", "unit", "mode", "status", "age_seconds", "flags", "revision")


def register(app: typer.Typer) -> None:
    app.command("latest")(latest)


def latest(
    instruments: Annotated[list[str] | None, typer.Argument(help="Instrument ids, e.g. NG_HH_BALMO.")] = None,
    market: Annotated[str | None, typer.Option(help="All instruments of a market instead, e.g. caiso.")] = None,
    product: Annotated[str | None, typer.Option(help="Of this product of the market only.")] = None,
    mode: Annotated[
        Literal["newest", "in_force"] | None,
        typer.Option(help="The newest price, or the one that holds now (default for day-ahead products)."),
    ] = None,
    *,
    as_of: AsOf = None,
    timezone: TimeZone = None,
    limit: Limit = None,
    wanted: Wanted = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The latest price of each instrument, with its age and status.

    Example: gridtick latest --market caiso --product rt_5min
    """
    with connected(data_dir) as client:
        which = {"market": market, "product": product, "as_of": as_of, "timezone": timezone}
        rows = client.latest(instruments or (), **which, mode=mode, limit=limit)
        write_read(rows, wanted, LatestPrice, _SHOWN, timezone)
