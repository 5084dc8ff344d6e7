"""The options that the reading commands share, and how they write what they read."""

import sys
from typing import Annotated, Any, Final, TypeAlias

import typer

from gridtick.cli.columns import RowType
from gridtick.cli.output import Format, write
from gridtick.client import Rows

Instruments: TypeAlias = Annotated[list[str], typer.Argument(help="Instrument ids, e.g. NG_HH_BALMO.")]
Start: TypeAlias = Annotated[
    str | None,
    typer.Option(help="First instant, with an offset: 2026-07-01T00:00:00Z. Default: 24 hours before the end."),
]
End: TypeAlias = Annotated[str | None, typer.Option(help="First instant beyond. Default: no end.")]
Limit: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Most rows. Default: all.")]
AsOf: TypeAlias = Annotated[
    str | None, typer.Option(help="What was known at this instant, with an offset. Default: what is known now.")
]
Wanted: TypeAlias = Annotated[
    Format | None, typer.Option("--format", "-f", help="Default: a table on a terminal, NDJSON in a pipe.")
]


TimeZone: TypeAlias = Annotated[
    str | None, typer.Option(help="Local times too: market (each instrument's own), UTC or e.g. America/Chicago.")
]
_LOCAL: Final = {name: f"{name}_local" for name in ("interval_start", "interval_end", "start", "end")}


def write_read(
    rows: Rows[Any],
    wanted: Format | None,
    kind: RowType,
    shown: tuple[str, ...],
    timezone: str | None = None,
    also: tuple[str, ...] = (),
) -> None:
    """Writes the rows, and says so where what was known at an instant may still grow. With a `timezone` a table shows
    local times instead of UTC. `also`: further columns that were asked for."""
    if timezone is not None:
        shown = tuple(_LOCAL.get(name, name) for name in shown)
        also = (*also, *_LOCAL.values())
    write(rows, wanted, kind, (*shown, *(name for name in also if name not in _LOCAL.values())), also)
    if rows.complete is False:
        print(
            "Provisional: what was published by then may not all have landed yet. Ask again in some seconds.",
            file=sys.stderr,
        )
