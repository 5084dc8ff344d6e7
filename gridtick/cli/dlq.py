"""`gridtick dlq`: dead letters by cause, one of them as it is, and sent again after a fix."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from db.letters.states import State
from gridtick.cli.options import DEFAULT_DATA_DIR, DataDir, instant
from gridtick.cli.reading import Wanted
from gridtick.cli.system import reached_kafka, settings_of
from pipeline.errors import DataProcessingError

if TYPE_CHECKING:
    from db.kafka.letters import Original
    from db.letters.causes import Dead
    from service.settings import Settings

commands = typer.Typer(
    no_args_is_help=True, help="Dead letters: list them by cause, show their bytes, send them again after a fix."
)
Since: TypeAlias = Annotated[
    str | None, typer.Option(help="Only those refused since this instant (ISO 8601 with an offset).")
]


@commands.command()
def ls(
    *,
    since: Since = None,
    cause: Annotated[str | None, typer.Option(help="The dead letters of one cause, each on its own.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    output: Wanted = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List dead letters by cause: what waits, what was sent again and is on its way, what has landed since.

    A cause is a stage, an error and a reason without its numbers and values; the market is told beside it.

    Example: gridtick dlq ls

    Example: gridtick dlq ls --cause 3f9a1b --state waiting
    """
    from db.letters.causes import by_cause
    from db.letters.named import with_cause
    from gridtick.cli.letters import shown_rows as rows
    from gridtick.cli.output import write

    found = _read(data_dir, since)[1]
    dead = [each for each in (found if cause is None else with_cause(found, cause)) if state in (None, each.state)]
    if cause is not None:
        write(map(rows.letter_row, dead), output, rows.LetterRow, rows.LETTERS_SHOWN)
    else:
        write((rows.cause_row(*group) for group in by_cause(dead)), output, rows.CauseRow, rows.CAUSES_SHOWN)


@commands.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the document, or a message that holds none, there.")
    ] = None,
    message: Annotated[
        bool, typer.Option("--message", help="With --output: the whole message instead of the document in it.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show one dead letter: why it was refused, where it came from, its headers and the beginning of its bytes.

    Example: gridtick dlq show 3f9a1b2c

    Example: gridtick dlq show 3f9a1b2c --output refused.csv && gridtick parse refused.csv
    """
    from db.letters.named import with_ids
    from gridtick.cli.letters.shown import described

    settings, found = _read(data_dir, None)
    (dead,) = with_ids(found, [letter])
    kept, complete = _original(settings, dead)
    if output is None:
        print("\n".join(described(dead, kept)))
        return
    size = _written(output, kept.value or b"", message)
    print(f"{size} bytes of dead letter {dead.id} written to {output}")
    if not complete:
        print(f"Only its beginning is kept: {dead.letter.truncated_bytes} bytes are missing.")
        raise typer.Exit(1)


@commands.command()
def replay(
    letters: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids, or the beginnings of them.")] = None,
    *,
    cause: Annotated[str | None, typer.Option(help="All dead letters of a cause.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    since: Since = None,
    market: Annotated[str | None, typer.Option(help="Read them as this market's, whatever their sender said.")] = None,
    product: Annotated[str | None, typer.Option(help="Read them as this product.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Read them as this tenant's.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when they can be queried; status 1 if one is refused again.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also those that are on the way or have landed, as one more attempt.")
    ] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Send dead letters again, as they came, after a fix of the program; or with labels that their sender got wrong.

    Each lands once, however often this is typed; its prices are known from now on. One that is refused again stays the
    same dead letter, at its next attempt.

    Example: gridtick dlq replay --cause 3f9a1b --dry-run

    Example: gridtick dlq replay 3f9a1b2c --market nyiso --wait
    """
    from db.letters import sending
    from db.letters.named import Choice
    from gridtick.cli.letters import stores, told
    from gridtick.cli.letters.labels import refuse_wrong
    from pipeline.replay import Labels

    labels = Labels(market and market.lower(), product and product.lower(), tenant)
    refuse_wrong(labels)
    _refuse_unclear(letters or [], cause, every)
    settings, found = _read(data_dir, since)
    choice = Choice(letters or (), cause, labels, again)
    chosen = choice.of(found)
    wanted = sending.wanted(chosen, choice, settings.kafka)
    if wanted and not dry_run:
        stores.record(settings, wanted, choice)
    result = stores.send(settings, wanted, trial=dry_run) if wanted else sending.Result()
    told.tell(result, len(chosen) - len(wanted), dry_run=dry_run)
    refused = bool(wait and not dry_run and result.sent) and told.refused_again(settings, result)
    if result.failed or refused:
        raise typer.Exit(1)


def _read(data_dir: Path, since: str | None) -> "tuple[Settings, list[Dead]]":
    from rich.console import Console

    from gridtick.cli.letters import stores

    since_ms = _since_ms(since)
    settings = settings_of(data_dir)
    reached_kafka(settings, data_dir)
    with Console(stderr=True).status("reading the dead letters"):
        return settings, stores.read(settings, since_ms)


def _since_ms(text: str | None) -> int:
    return 0 if text is None else max(round(instant(text).timestamp() * 1000), 0)


def _refuse_unclear(ids: Sequence[str], cause: str | None, every: bool) -> None:
    if (bool(ids), cause is not None, every).count(True) != 1:
        raise DataProcessingError("name dead letters by their ids, or one --cause, or --all", "cli")


def _original(settings: "Settings", dead: "Dead") -> "tuple[Original, bool]":
    """Its message, and whether that is whole."""
    from db.letters.originals import original

    found = original(settings.kafka, dead.letter)
    if found is None:
        raise DataProcessingError(f"{dead.id} is no longer in the dead-letter topic. `gridtick dlq ls` lists.", "cli")
    return found


def _written(path: Path, value: bytes, message: bool) -> int:
    from gridtick.cli.letters.content import document

    found = None if message else document(value)
    try:
        return path.write_bytes(value if found is None else found)
    except OSError as error:
        raise DataProcessingError(f"{path} cannot be written: {error.strerror}", "cli") from None


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="dlq")
