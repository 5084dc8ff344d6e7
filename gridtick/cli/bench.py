"""`gridtick bench`: the benchmarks, each a ratio beside a reference of the same run."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import DataProcessingError

NAMES = ("pipeline",)


def bench(
    name: Annotated[str, typer.Argument(help=f"Which one: {', '.join(NAMES)}.")] = "pipeline",
    ticks: Annotated[int, typer.Option(min=1, help="Messages in the raw topic.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each program, in turn.")] = 3,
    peers: Annotated[Path | None, typer.Option(help="Folder of the peers' programs (bytewax_ohlc.py).")] = None,
    peer_python: Annotated[Path | None, typer.Option(help="Python that has Bytewax installed.")] = None,
    flink: Annotated[Path | None, typer.Option(help="Folder with the built Flink job (out/, libs/).")] = None,
    output: Annotated[Path | None, typer.Option(help="File that takes the JSON result too.")] = None,
) -> None:
    """Measure on servers of its own, beside whatever peers are installed; JSON on standard output.

    Example: gridtick bench pipeline --ticks 200000 --rounds 1
    """
    from local.bench import pipeline

    if name not in NAMES:
        raise DataProcessingError(f"{name} is no benchmark. There is: {', '.join(NAMES)}.", "cli")
    with tempfile.TemporaryDirectory(prefix="gridtick-bench-") as folder:
        plan = pipeline.Plan(ticks, rounds, Path(folder), peers, peer_python, flink)
        result = pipeline.measure(plan, lambda line: print(line, file=sys.stderr, flush=True))
    text = json.dumps(result, indent=1)
    print(text)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text + "\n")


def register(app: typer.Typer) -> None:
    app.command()(bench)
