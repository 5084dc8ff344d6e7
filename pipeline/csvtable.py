"""A CSV document as text columns found by name, with every broken row told apart from its neighbours.

polars reads the rows that are plain (the header's number of fields, no quotes); the few others go through
Python's `csv` one by one. A row is one line: a quoted field may not span lines.
"""

import codecs
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline.documents import REFUSED_ROWS, refusal
from pipeline.rejects import SHOWN

_NO_SEPARATOR: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class Lines:
    """The header's names, the line it stands on (from 1), and the text after it."""

    names: list[str]
    header_line: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Table:
    """`cells`: the wanted columns as text and `row` (from 1); `broken`: REFUSED_ROWS; `rows`: lines after it."""

    cells: pl.DataFrame
    broken: pl.DataFrame
    rows: int


def lines(content: bytes) -> Lines:
    """Cut the first line that is not blank off as the header. Line ends may be CRLF; bytes that are no UTF-8
    become U+FFFD."""
    data = _utf8(content.removeprefix(codecs.BOM_UTF8))
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    header_line, rest = 0, data
    while rest:
        line, _, rest = rest.partition(b"\n")
        header_line += 1
        if line.strip():
            names = _fields(line.decode()) or []
            return Lines([name.strip() for name in names], header_line, rest)
    raise refusal("the document is empty", "document")


def table(source: Lines, wanted: Sequence[str]) -> Table:
    """The wanted columns of every row. Raises `DataProcessingError` where a wanted name stands twice."""
    for name in wanted:
        if source.names.count(name) != 1:
            raise refusal(f"the header names {name} {source.names.count(name)} times", "header", name)
    text = _rows(source.body)
    odd = _odd(text, source)
    if not odd.any():
        cells = _plain(source.body, source.names, wanted)
        numbered = cells.with_columns(row=pl.int_range(1, cells.height + 1, dtype=pl.Int32))
        return Table(numbered, pl.DataFrame(schema=dict(REFUSED_ROWS)), text.len())
    return _mixed(text, odd, source, wanted)


def _utf8(data: bytes) -> bytes:
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode()
    return data


def _rows(body: bytes) -> pl.Series:
    """The lines as one column; by the CSV reader, three times as fast as a split, where it keeps every line."""
    expected = body.count(b"\n") + (not body.endswith(b"\n"))
    if body and _NO_SEPARATOR not in body and b"\n\n" not in body:
        line = pl.read_csv(
            body,
            has_header=False,
            separator=_NO_SEPARATOR.decode(),
            quote_char=None,
            infer_schema=False,
            empty_string_is_null=False,
        ).to_series()
        if line.len() == expected:
            return line
    return pl.Series([body.removesuffix(b"\n").decode()]).str.split("\n").explode()


def _odd(text: pl.Series, source: Lines) -> pl.Series:
    """Rows that polars may not be trusted with: blank ones, a wrong number of fields, quotes."""
    odd = text.str.count_matches(",", literal=True) != len(source.names) - 1
    if b'"' in source.body:
        odd |= text.str.contains('"', literal=True)
    return odd | (text == "") if len(source.names) == 1 else odd


def _plain(body: bytes, names: Sequence[str], wanted: Sequence[str]) -> pl.DataFrame:
    if not body:
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String()))
    in_order = sorted(wanted, key=names.index)
    cells = pl.read_csv(
        body,
        has_header=False,
        columns=[names.index(name) for name in in_order],
        infer_schema=False,
        quote_char=None,
        empty_string_is_null=False,
    )
    cells.columns = in_order
    return cells.select(wanted)


def _mixed(text: pl.Series, odd: pl.Series, source: Lines, wanted: Sequence[str]) -> Table:
    plain = _plain("\n".join(text.filter(~odd)).encode(), source.names, wanted)
    rows = pl.int_range(1, text.len() + 1, dtype=pl.Int32, eager=True)
    cells = plain.with_columns(row=rows.filter(~odd))
    quoted, broken = list[list[str | int]](), list[tuple[int, str, str, str]]()
    for row, line in zip(rows.filter(odd), text.filter(odd), strict=True):
        fields = _fields(line)
        if fields is not None and len(fields) == len(source.names):
            quoted.append([*(fields[source.names.index(name)] for name in wanted), row])
        elif line.strip():
            cut_off = row == text.len() and not source.body.endswith(b"\n")
            broken.append((row, "row", line[:SHOWN], _problem(fields, source.names, cut_off=cut_off)))
    more = pl.DataFrame(quoted, schema=cells.schema, orient="row")
    refused = pl.DataFrame(broken, schema=dict(REFUSED_ROWS), orient="row")
    return Table(pl.concat([cells, more]).sort("row"), refused, text.len())


def _fields(line: str) -> list[str] | None:
    """The fields of one line, or null where its quotes do not close."""
    try:
        return next(csv.reader([line], strict=True), None)
    except csv.Error:
        return None


def _problem(fields: Sequence[str] | None, names: Sequence[str], *, cut_off: bool) -> str:
    if fields is None:
        return "the row's quotes do not close"
    counted = f"{len(fields)} of {len(names)} fields"
    if cut_off and len(fields) < len(names):
        return f"the last row is cut off after {counted}: the document is truncated"
    return f"the row holds {counted}"
