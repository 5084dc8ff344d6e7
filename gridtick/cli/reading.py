"""The options that the reading commands share."""

from typing import Annotated, TypeAlias

import typer

from gridtick.cli.output import Format

Instruments: TypeAlias = Annotated[list[str], typer.Argument(help="Instrument ids, e.g. NG_HH_BALMO.")]
Start: TypeAlias = Annotated[
    str | None,
    typer.Option(help="First instant, with an offset: 2026-07-01T00:00:00Z. Default: 24 hours before the end."),
]
End: TypeAlias = Annotated[str | None, typer.Option(help="First instant beyond. Default: no end.")]
Limit: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Most rows. Default: all.")]
Wanted: TypeAlias = Annotated[
    Format | None, typer.Option("--format", "-f", help="Default: a table on a terminal, NDJSON in a pipe.")
]
