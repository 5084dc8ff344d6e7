"""Rows to standard output: a table on a terminal, NDJSON in a pipe, or what was asked for."""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import Any, BinaryIO, Final

import typer

from pipeline.errors import DataProcessingError

Row = Mapping[str, Any]


class Format(StrEnum):
    """How rows are written."""

    table = "table"
    ndjson = "ndjson"
    json = "json"
    csv = "csv"
    parquet = "parquet"


def write(rows: Iterable[Row], wanted: Format | None, columns: tuple[str, ...]) -> None:
    """Writes the rows; `columns` are those that a table shows. A reader that goes away ends it quietly."""
    chosen = wanted or (Format.table if sys.stdout.isatty() else Format.ndjson)
    try:
        if chosen is Format.table:
            _table(rows, columns)
        else:
            _WRITERS[chosen](rows, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def json_text(value: Any) -> str:
    """JSON with every digit of a decimal."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(name))}:{json_text(each)}" for name, each in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def plain(value: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ndjson(rows: Iterable[Row], out: BinaryIO) -> None:
    for row in rows:
        out.write(json_text(row).encode() + b"\n")


def _json(rows: Iterable[Row], out: BinaryIO) -> None:
    between = b"["
    for row in rows:
        out.write(between + json_text(row).encode())
        between = b",\n"
    out.write(b"]\n" if between != b"[" else b"[]\n")


def _csv(rows: Iterable[Row], out: BinaryIO) -> None:
    lines = _lines(rows)
    for line in lines:
        out.write(line.encode())


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    written: list[str] = []
    writer = csv.writer(_Sink(written.append), lineterminator="\n")
    for at, row in enumerate(rows):
        if at == 0:
            writer.writerow(row)
        writer.writerow([_cell(value) for value in row.values()])
        yield "".join(written)
        written.clear()


class _Sink:
    def __init__(self, write_text: Callable[[str], None]) -> None:
        self.write = write_text


def _parquet(rows: Iterable[Row], out: BinaryIO) -> None:
    import polars as pl

    if sys.stdout.isatty():
        raise DataProcessingError("Parquet is no text: send it to a file with `> prices.parquet`.", "cli")
    given = list(rows)
    names = list(given[0]) if given else []
    decimals = [name for name in names if any(isinstance(row[name], Decimal) for row in given)]
    instants = [name for name in names if name in _INSTANTS]
    schema = dict.fromkeys(decimals, pl.Decimal(38, 9))
    frame = pl.DataFrame(given, schema_overrides=schema, infer_schema_length=None)
    utc = (pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC") for name in instants)
    frame.with_columns(utc).write_parquet(out)


def _table(rows: Iterable[Row], columns: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    found = iter(rows)
    first = next(found, None)
    if first is None:
        Console(stderr=True).print("No rows.")
        return
    for name in columns:
        table.add_column(name, justify="right" if isinstance(first[name], Decimal | int) else "left", overflow="fold")
    for row in chain([first], found):
        table.add_row(*(_cell(row[name]) for name in columns))
    Console(width=None if sys.stdout.isatty() else 1_000).print(table)  # a file takes lines of any length


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "|".join(map(str, value))
    return (
        plain(value)
        if isinstance(value, Decimal)
        else json_text(value).strip('"')
        if isinstance(value, bool)
        else str(value)
    )


_INSTANTS: Final = frozenset({"interval_start", "interval_end", "known_at", "start", "end", "updated_at", "first_seen"})
_WRITERS: Final[Mapping[Format, Callable[[Iterable[Row], BinaryIO], None]]] = {
    Format.ndjson: _ndjson,
    Format.json: _json,
    Format.csv: _csv,
    Format.parquet: _parquet,
}
