"""Rows to standard output: a table on a terminal, NDJSON in a pipe, or what was asked for."""

import csv
import json
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import Any, BinaryIO, Final, TextIO, cast

from gridtick.cli.columns import RowType, columns_of, is_number
from gridtick.cli.sink import standard_output
from gridtick.client import Table
from pipeline.errors import DataProcessingError

Row = Mapping[str, Any]


class Format(StrEnum):
    """How rows are written."""

    table = "table"
    ndjson = "ndjson"
    json = "json"
    csv = "csv"
    parquet = "parquet"


def write(
    rows: Iterable[Row], wanted: Format | None, kind: RowType, shown: tuple[str, ...], also: Collection[str] = ()
) -> None:
    """Writes the rows, all of one type; `shown` are the columns of a table. Says so where there is none. `also`: the
    columns that these rows have and others of their type have not.

    The exit status is that of `standard_output` where they cannot be written.
    """
    with standard_output() as out:
        chosen = wanted or (Format.table if out.isatty() else Format.ndjson)
        if chosen is Format.parquet and out.isatty():
            raise DataProcessingError("Parquet is no text: send it to a file with `> prices.parquet`.", "cli")
        if chosen in _COLUMNS and isinstance(rows, Table) and rows.is_long:
            _columns(rows, chosen, kind, also, out.buffer)
            return
        found = iter(rows)
        first = next(found, None)
        if first is None:
            print("No rows.", file=sys.stderr)
        every = () if first is None else chain([first], found)
        if chosen is Format.table:
            _table(every, columns_of(kind, also), shown, out)
        else:
            _WRITERS[chosen](every, kind, also, out.buffer)


def _columns(rows: Table[Any], chosen: Format, kind: RowType, also: Collection[str], out: BinaryIO) -> None:
    """Rows that come as columns, written while they come."""
    from gridtick.cli.columnar import WRITERS  # loads polars and pyarrow, which no other format needs

    if WRITERS[chosen](rows.to_batches(), kind, also, out) == 0:
        print("No rows.", file=sys.stderr)


def json_text(value: Any) -> str:
    """JSON with every digit of a decimal."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(name))}:{json_text(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_text(each) for each in value) + "]"  # pyright: ignore[reportUnknownVariableType]
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def plain(value: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ndjson(rows: Iterable[Row], _: RowType, __: Collection[str], out: BinaryIO) -> None:
    for row in rows:
        out.write(json_text(row).encode() + b"\n")


def _json(rows: Iterable[Row], _: RowType, __: Collection[str], out: BinaryIO) -> None:
    between = b"["
    for row in rows:
        out.write(between + json_text(row).encode())
        between = b",\n"
    out.write(b"]\n" if between != b"[" else b"[]\n")


def _csv(rows: Iterable[Row], kind: RowType, also: Collection[str], out: BinaryIO) -> None:
    names = list(columns_of(kind, also))
    line = csv.writer(Encoded(out), lineterminator="\n")
    line.writerow(names)
    line.writerows([_cell(row.get(name)) for name in names] for row in rows)


class Encoded:
    """Text into bytes, a line at a time."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.encode())


def _parquet(rows: Iterable[Row], kind: RowType, also: Collection[str], out: BinaryIO) -> None:
    from gridtick.cli.parquet import packed  # loads polars, which no other format needs

    out.write(packed(rows, kind, also))


def _table(rows: Iterable[Row], held: Mapping[str, type], shown: tuple[str, ...], out: TextIO) -> None:
    from gridtick.cli.table import draw

    cells = [[_cell(row.get(name)) for name in shown] for row in rows]
    if cells:
        draw(out, {name: "right" if is_number(held[name]) else "left" for name in shown}, cells)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        every = cast("list[object]", value)
        return json_text(every) if any(isinstance(each, Mapping) for each in every) else "|".join(map(str, every))
    return json_text(value) if isinstance(value, Decimal | bool) else str(value)


_COLUMNS: Final = frozenset({Format.parquet, Format.csv})
_WRITERS: Final[Mapping[Format, Callable[[Iterable[Row], RowType, Collection[str], BinaryIO], None]]] = {
    Format.ndjson: _ndjson,
    Format.json: _json,
    Format.csv: _csv,
    Format.parquet: _parquet,
}
