"""`gridtick parse`: exchange documents to ticks, on this machine alone."""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import polars as pl
import typer

from gridtick.cli.sink import standard_output
from gridtick.cli.table import draw
from pipeline import flags, members, shown
from pipeline.errors import DataProcessingError
from pipeline.schema import INSTANT, NORMALIZED, TICKS, conform, empty

STDIN = "-"
FINE, PROBLEM, REFUSED = 0, 1, 2
TENANT = "public"
ROWS_AT_ONCE = 20_000


class Format(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    TABLE = "table"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("parse")(parse)


def parse(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="documents as published; - is standard input")],
    market: Annotated[str | None, typer.Option(help="whose documents they are, where it cannot be told")] = None,
    product: Annotated[str | None, typer.Option(help="refuse what is not of this product")] = None,
    format: Annotated[Format, typer.Option(help="how ticks are written")] = Format.NDJSON,  # noqa: A002
) -> None:
    """Read exchange documents (also inside ZIP or gzip) and write their ticks to standard output.

    Rejected rows go to standard error with file, line and reason. Exit status: 0 all read, 1 some rows rejected,
    2 a document refused. Example: gridtick parse 20240311_PRC_LMP_DAM.zip --format csv
    """
    status = FINE
    found: list[pl.DataFrame] = []
    for file in files:
        ticks, outcome = _read(file, market, product)
        found += ticks
        status = max(status, outcome)
    _write(_shown(found), format)
    raise typer.Exit(status)


def _read(file: str, market: str | None, product: str | None) -> tuple[list[pl.DataFrame], int]:
    """Ticks of the documents in a file, and the exit status that they call for."""
    name = Path(file).name
    try:
        read = members.read(_content(file), name, _lower(market), _lower(product))
    except DataProcessingError as error:
        return [], _complain(f"{file}: refused: {error.message}", REFUSED)
    status = FINE
    for member, error in read.refused:
        status = max(status, _complain(f"{_where(file, member)}: refused: {error.message}", REFUSED))
    return [read.ticks], max(status, _report(file, read.rejects))


def _lower(name: str | None) -> str | None:
    return None if name is None else name.lower()


def _where(file: str, member: str) -> str:
    return file if member == Path(file).name else f"{file}({member})"


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise DataProcessingError(f"cannot be opened: {error.strerror or error}", "cli", {"file": file}) from None


def _report(file: str, rejects: pl.DataFrame) -> int:
    for member, line, reason in rejects.select("member", "line", "reason").iter_rows():
        _complain(f"{_where(file, member)}:{line}: {reason}", PROBLEM)
    return PROBLEM if rejects.height else FINE


def _complain(line: str, status: int) -> int:
    print(line, file=sys.stderr)
    return status


def _shown(found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Documents in the order given: a later one corrects an earlier one, as their messages would."""
    placed = [
        ticks.with_columns(
            tenant=pl.lit(TENANT), source_rank=pl.lit(0), event_id=pl.lit(""), source=pl.lit(""), offset=pl.lit(place)
        )
        for place, ticks in enumerate(found)
    ]
    together = pl.concat([pl.DataFrame(schema={"known_at": INSTANT}), *placed], how="diagonal")
    return shown.shown(conform(flags.flagged(together), NORMALIZED) if placed else empty(TICKS))


def _write(frame: pl.DataFrame, format: Format) -> None:  # noqa: A002
    with standard_output() as out:
        if format is Format.PARQUET:
            packed = io.BytesIO()
            frame.write_parquet(packed)
            out.buffer.write(packed.getvalue())
        elif format is Format.NDJSON:
            out.buffer.writelines(shown.ndjson(frame))
        elif format is Format.CSV:
            out.buffer.writelines(_csv(frame))
        else:
            _table(shown.as_text(frame), out)


def _csv(frame: pl.DataFrame) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(frame.columns)
    for part in shown.as_text(frame).iter_slices(ROWS_AT_ONCE):
        writer.writerows(part.iter_rows())
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _table(frame: pl.DataFrame, out: TextIO) -> None:
    """The columns that hold something, as a table."""
    held = [name for name in frame.columns if frame[name].null_count() < frame.height]
    rows = frame.select(held).iter_rows()
    draw(out, dict.fromkeys(held, "left"), (["" if cell is None else str(cell) for cell in row] for row in rows))
