"""`gridtick tail`: the live stream in a terminal."""

import math
from enum import StrEnum
from typing import Annotated, Any, Literal

import typer

from gridtick.cli.connection import connected
from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.sink import standard_output
from gridtick.client import CaughtUp, Message, Stream, Subscribed


class How(StrEnum):
    """How rows are written."""

    table = "table"
    ndjson = "ndjson"


def register(app: typer.Typer) -> None:
    app.command("tail")(tail)


def tail(
    instruments: Annotated[
        list[str] | None, typer.Argument(help="Instrument ids, e.g. NG_HH_BALMO; of curves their ids.")
    ] = None,
    channel: Annotated[
        Literal["prices", "bars", "ticks", "curves", "demo"],
        typer.Option(help="The newest prices, bars as they change, every publication, or curves."),
    ] = "prices",
    market: Annotated[str | None, typer.Option(help="All instruments of a market instead, e.g. caiso.")] = None,
    product: Annotated[str | None, typer.Option(help="Of this product of the market only.")] = None,
    interval: Annotated[str | None, typer.Option("--interval", "-i", help="Of bars: 1m, 5m, 15m, 1h or 1d.")] = None,
    policy: Annotated[
        Literal["conflate", "skip", "close"] | None,
        typer.Option(help="What a slow terminal gets: the newest of each, what fits and the rest after, or all."),
    ] = None,
    *,
    since: Annotated[
        str | None, typer.Option("--from", help="Begin at an instant of the past: 2026-07-01T00:00:00Z.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(min=0, max=86_400, help="With --from: seconds of it in each second; 0: at once."),
    ] = None,
    until_caught_up: Annotated[bool, typer.Option("--until-caught-up", help="End where what is live begins.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many rows.")] = None,
    wanted: Annotated[
        How | None, typer.Option("--format", "-f", help="Default: a line a row on a terminal, NDJSON in a pipe.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What comes, as it comes, until Ctrl-C. Goes on over interruptions, without holes and without repeats.

    Example: gridtick tail caiso.rt_5min.TH_NP15_GEN-APND

    Example: gridtick tail --channel bars --market ercot --interval 15m --from 2026-07-01T00:00:00Z --speed 60
    """
    asked = {"instruments": instruments or (), "market": market, "product": product, "interval": interval}
    more = {"policy": policy, "from_": since, "speed": speed, "on_stall": "reconnect", "patience": math.inf}
    try:
        with connected(data_dir) as client, client.stream(channel, **asked, **more) as stream:  # pyright: ignore[reportArgumentType, reportCallIssue]
            _follow(stream, wanted, limit, until_caught_up, len(instruments or ()))
    except KeyboardInterrupt:
        return  # the way to end it


def _follow(stream: Stream[Any], wanted: How | None, limit: int | None, until_caught_up: bool, named: int) -> None:
    """Shows what comes until it is to end."""
    from gridtick.cli.live import Notices, shower

    with standard_output() as out:
        show, notices, left = shower(out, as_table=(wanted or _usual(out)) is How.table), Notices(), limit
        for message in stream:
            notices.take(message)
            rows = message.data if left is None else message.data[:left]
            show(rows)
            left = None if left is None else left - len(rows)
            if left == 0 or (until_caught_up and isinstance(message, CaughtUp)):
                return
            _refuse_none(message, named)


def _usual(out: Any) -> How:
    return How.table if out.isatty() else How.ndjson


def _refuse_none(message: Message[Any], named: int) -> None:
    """Ends with 1 where none of the instruments that were named can be seen."""
    if isinstance(message, Subscribed) and named and len(message.errors) >= named:
        raise typer.Exit(1)
