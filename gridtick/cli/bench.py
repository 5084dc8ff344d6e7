"""`gridtick bench`: the benchmarks, each a ratio beside a reference of the same run."""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

Output = Annotated[Path | None, typer.Option(help="File that takes the JSON result too.")]
Rounds = Annotated[int, typer.Option(min=1, help="How often each is measured, in turn.")]
Nodes = Annotated[int, typer.Option(min=1, help="Nodes of a publication.")]
Stored = Annotated[int, typer.Option(min=1, max=287, help="Runs of the day that are stored before.")]
_EVERY: Final = "Measure on servers of its own; JSON on standard output.\n\nExample: gridtick bench run --rounds 3"
bench: Final = typer.Typer(help=_EVERY, invoke_without_command=True)


@bench.callback()
def _without_a_name(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        pipeline()


@bench.command()
def pipeline(
    ticks: Annotated[int, typer.Option(min=1, help="Messages in the raw topic.")] = 1_000_000,
    rounds: Rounds = 3,
    peers: Annotated[Path | None, typer.Option(help="Folder of the peers' programs (bytewax_ohlc.py).")] = None,
    peer_python: Annotated[Path | None, typer.Option(help="Python that has Bytewax installed.")] = None,
    flink: Annotated[Path | None, typer.Option(help="Folder with the built Flink job (out/, libs/).")] = None,
    output: Output = None,
) -> None:
    """Ticks from the raw topic to stored ticks, bars and latest prices, beside whatever peers are installed."""
    from local.bench import pipeline

    _report(
        lambda folder: pipeline.measure(pipeline.Plan(ticks, rounds, folder, peers, peer_python, flink), _say), output
    )


@bench.command()
def run(nodes: Nodes = 16_600, stored: Stored = 287, rounds: Rounds = 10, output: Output = None) -> None:
    """A publication of all of CAISO's nodes, from produce to every price, bar and latest queryable."""
    from local.bench import burst

    _report(lambda folder: burst.measure(burst.Plan(folder, nodes, stored, rounds), _say), output)


@bench.command()
def backfill(
    nodes: Nodes = 16_600,
    stored: Stored = 267,
    rounds: Rounds = 10,
    prices: Annotated[int, typer.Option(min=1, help="Prices of history.")] = 5_000_000,
    output: Output = None,
) -> None:
    """The same publication beside a backfill of history, and without it."""
    from local.bench import backfill

    _report(lambda folder: backfill.measure(backfill.Plan(folder, nodes, stored, rounds, prices), _say), output)


@bench.command()
def markets(
    scale: Annotated[float, typer.Option(min=0.001, max=1, help="Part of the full number of locations.")] = 1.0,
    stored: Annotated[int, typer.Option(min=1, max=230, help="Runs of the day that are stored before.")] = 220,
    rounds: Annotated[int, typer.Option(min=1, max=10, help="Runs that are measured.")] = 10,
    output: Output = None,
) -> None:
    """A five-minute run of all five markets, from produce to every price, bar and latest queryable."""
    from local.bench import markets

    _report(lambda folder: markets.measure(markets.Plan(folder, scale, stored, rounds), _say), output)


@bench.command()
def parse(
    rounds: Rounds = 5,
    scale: Annotated[float, typer.Option(min=0.001, max=1, help="Part of the full size.")] = 1.0,
    output: Output = None,
) -> None:
    """Documents of every market at full size, beside readers that only make text of the same bytes."""
    from local.bench import parse

    _report(lambda _: parse.measure(parse.Plan(scale, rounds), _say), output)


@bench.command()
def growth(
    instruments: Annotated[int, typer.Option(min=1, help="Instruments of the small situation.")] = 3_000,
    ticks: Annotated[int, typer.Option(min=1, help="Ticks of a round.")] = 1_500_000,
    history: Annotated[int, typer.Option(min=1, help="Ticks stored before in the small situation.")] = 100_000,
    rounds: Rounds = 3,
    output: Output = None,
) -> None:
    """What a tick costs with 10 times the instruments and 100 times the stored history."""
    from local.bench import growth

    _report(lambda folder: growth.measure(growth.Plan(folder, instruments, ticks, history, rounds), _say), output)


@bench.command()
def api(
    rounds: Rounds = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long each server is asked, each time.")] = 3.0,
    ticks: Annotated[int, typer.Option(min=1, help="Ticks of each instrument in the stored day.")] = 288,
    rows: Annotated[int, typer.Option(min=1000, help="Ticks of a long answer.")] = 5_000_000,
    output: Output = None,
) -> None:
    """Requests a second of the API beside a bare route that returns the same bytes, with and without ingest; what it
    costs to be let in; rows a second of a long answer in each format."""
    from local.bench import api

    _report(lambda folder: api.measure(api.Plan(rounds, seconds, folder, ticks, rows), _say), output)


@bench.command()
def stream(
    clients: Annotated[list[int] | None, typer.Option(min=1, help="How many clients; may be given again.")] = None,
    sent: Annotated[int, typer.Option(min=1, help="Frames to all clients together.")] = 300_000,
    rounds: Rounds = 3,
    seconds: Annotated[float, typer.Option(min=1, help="How long delays are measured.")] = 60.0,
    output: Output = None,
) -> None:
    """Frames a second of the live stream beside a bare broadcast of the same bytes; delays from the topic to a client;
    the cost of an idle one."""
    from local.bench import stream

    many = tuple(clients or (100, 1000))
    _report(lambda folder: stream.measure(stream.Plan(folder, many, sent, rounds, seconds), _say), output)


@bench.command()
def enrich(
    ticks: Annotated[int, typer.Option(min=1, help="Ticks that are enriched.")] = 100_000,
    instruments: Annotated[int, typer.Option(min=1, help="Instruments of the reference.")] = 50_000,
    rounds: Rounds = 3,
    output: Output = None,
) -> None:
    """What joining the reference costs, as a share of the time of normalize, enrich, store and pass."""
    from local.bench import enrich

    _report(lambda folder: enrich.measure(enrich.Plan(folder, ticks, instruments, rounds), _say), output)


def _report(measure: Callable[[Path], dict[str, Any]], output: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="gridtick-bench-") as folder:
        text = json.dumps(measure(Path(folder)), indent=1)
    print(text)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text + "\n")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def register(app: typer.Typer) -> None:
    app.add_typer(bench, name="bench")
