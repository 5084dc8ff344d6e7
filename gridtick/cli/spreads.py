"""`gridtick spreads`: which spreads are defined, and what a value of one is made of."""

from typing import Annotated, Final

import typer

from gridtick.cli.connection import connected
from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir
from gridtick.cli.output import json_text, plain, write
from gridtick.cli.reading import AsOf, Limit, Wanted
from gridtick.client import Explained, Spread

commands: Final = typer.Typer(
    no_args_is_help=True, help="Differences of prices: day-ahead less real-time, basis, spark spreads and others."
)
_SHOWN: Final = ("instrument", "unit", "formula", "valid_from", "valid_to", "tenant")


@commands.command("ls")
def ls(
    kind: Annotated[
        str | None, typer.Option(help="dart, basis, hub, spark, heat_rate, gas_basis, calendar, peak")
    ] = None,
    market: Annotated[str | None, typer.Option(help="Of a leg, e.g. pjm.")] = None,
    location: Annotated[str | None, typer.Option(help="Of a leg, e.g. 51288.")] = None,
    q: Annotated[str | None, typer.Option(help="A part of the name or the formula.")] = None,
    *,
    limit: Limit = None,
    wanted: Wanted = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The spreads that are defined. Their values are prices: gridtick ticks INSTRUMENT, bars, latest.

    Example: gridtick spreads ls --kind dart --market pjm
    """
    with connected(data_dir) as client:
        rows = client.spreads.list(kind=kind, market=market, location=location, q=q, limit=limit)
        write(rows, wanted, Spread, _SHOWN)


@commands.command("explain")
def explain(
    instrument: Annotated[str, typer.Argument(help="A spread, e.g. spread.dart.pjm_western_hub.")],
    start: Annotated[str, typer.Argument(help="The start of the value, with an offset: 2025-05-01T21:00:00Z.")],
    *,
    as_of: AsOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole answer as JSON.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What a value is made of: the formula with its numbers, and the message that brought each price.

    Example: gridtick spreads explain spread.dart.pjm_western_hub 2025-05-01T21:00:00Z
    """
    with connected(data_dir) as client:
        found = client.spreads.explain(instrument, start, as_of=as_of)
    print(json_text(found) if as_json else "\n".join(_lines(found)))


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="spreads")


def _lines(found: Explained) -> list[str]:
    head = f"{found['instrument']} at {found['interval_start']}: {found['formula']} ({found['unit']})"
    prices = [
        f"  {plain(each['price'])}  {each['instrument']} at {each['interval_start']}, known {each['known_at']}: "
        f"topic {each['topic_id']}, partition {each['partition']}, offset {each['offset']}, row {each['row']}"
        for each in found["prices"]
    ]
    lacking = [f"  missing: {each['instrument']} at {each['interval_start']}" for each in found["missing"]]
    return [head, found["written"] or "no value", *prices, *lacking]
