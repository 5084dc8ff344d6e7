"""`gridtick bench`: the benchmarks, each a ratio beside a reference of the same run."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import DataProcessingError

NAMES = ("pipeline", "api")


def bench(  # noqa: PLR0917 - options of a command
    name: Annotated[str, typer.Argument(help=f"Which one: {', '.join(NAMES)}.")] = "pipeline",
    ticks: Annotated[int, typer.Option(min=1, help="Messages in the raw topic.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each program, in turn.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="api: how long each is asked, each time.")] = 3.0,
    peers: Annotated[Path | None, typer.Option(help="Folder of the peers' programs (bytewax_ohlc.py).")] = None,
    peer_python: Annotated[Path | None, typer.Option(help="Python that has Bytewax installed.")] = None,
    flink: Annotated[Path | None, typer.Option(help="Folder with the built Flink job (out/, libs/).")] = None,
    output: Annotated[Path | None, typer.Option(help="File that takes the JSON result too.")] = None,
) -> None:
    """Measure on servers of its own, beside whatever peers are installed; JSON on standard output.

    Example: gridtick bench pipeline --ticks 200000 --rounds 1
    """
    from local.bench import api, pipeline

    if name not in NAMES:
        raise DataProcessingError(f"{name} is no benchmark. There is: {', '.join(NAMES)}.", "cli")
    with tempfile.TemporaryDirectory(prefix="gridtick-bench-") as folder:
        if name == "api":
            result = api.measure(api.Plan(rounds, seconds, Path(folder)), _say)
        else:
            plan = pipeline.Plan(ticks, rounds, Path(folder), peers, peer_python, flink)
            result = pipeline.measure(plan, _say)
    text = json.dumps(result, indent=1)
    print(text)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text + "\n")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def register(app: typer.Typer) -> None:
    app.command()(bench)
