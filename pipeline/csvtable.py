"""A CSV document as text columns found by name, with every broken row told apart from its neighbours.

`csvplain` reads documents of plain rows only (the header's number of fields, no quotes within quotes). In others polars
reads the rows that are plain, or whose quotes can be taken off; those with quotes or commas inside quotes go through
Python's `csv`, one by one. A row is one line: a quoted field may not span lines.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from pipeline import csvplain
from pipeline.documents import NO_REFUSALS, REFUSED_ROWS, refusal
from pipeline.rejects import SHOWN
from pipeline.text import utf8
from pipeline.unpack import LIMIT

MOST_LINES: Final = 5_000_000  # of one document; the largest ones that exchanges publish hold about a million
MOST_COLUMNS: Final = 1_000
MOST_QUOTED: Final = 100_000  # rows that are read one by one
_NO_SEPARATOR: Final = b"\x01"
_TEXT: Final = re.compile(rb"\S")
_SIMPLE: Final = r"""^(?:"[^",]*"|[^",]*)(?:,(?:"[^",]*"|[^",]*))*$"""  # quotes that hold no comma and no quote
_CAUSES: Final = (
    ("unexpected end of data", "the row's quotes do not close"),
    ("expected after", "the row holds text behind a closing quote"),
    ("new-line character", "the row holds a carriage return outside quotes"),
)

csv.field_size_limit(LIMIT)  # holds for the whole process; the size of documents is bounded where they are unpacked


@dataclass(frozen=True, slots=True)
class Lines:
    """The header's names, the line it stands on (from 1), and the text with the place where its rows begin.

    Rows may end with CRLF.
    """

    names: list[str]
    header_line: int
    text: bytes
    begin: int

    @property
    def body(self) -> bytes:
        """The rows, their ends LF; a copy."""
        return self.text[self.begin :].replace(b"\r\n", b"\n")


@dataclass(frozen=True, slots=True)
class Table:
    """`cells`: the wanted columns as text and `row` (from 1); `broken`: REFUSED_ROWS; `rows`: lines after it."""

    cells: pl.DataFrame
    broken: pl.DataFrame
    rows: int


def lines(content: bytes) -> Lines:
    """Cut the first line that is not blank off as the header; bytes that are no UTF-8 become U+FFFD. Raises
    `DataProcessingError` for a document without text, or beyond `MOST_LINES`, and for a header that cannot be read or
    has more than `MOST_COLUMNS` names."""
    data = utf8(content)
    text = _TEXT.search(data)
    if text is None:
        raise refusal("the document is empty", "document")
    count = csvplain.count(data, 0)
    if count > MOST_LINES:
        raise refusal(f"the document has {count} lines, at most {MOST_LINES} are read: send it in parts", "document")
    start = data.rfind(b"\n", 0, text.start()) + 1
    end = data.find(b"\n", start)
    end = len(data) if end < 0 else end
    header = data[start : end + 1].replace(b"\r\n", b"\n").removesuffix(b"\n")
    return Lines(_names(header.decode()), data.count(b"\n", 0, start) + 1, data, end + 1)


def table(source: Lines, wanted: Sequence[str]) -> Table:
    """The wanted columns of every row. Raises `DataProcessingError` where a wanted name does not stand exactly once, or
    more than `MOST_QUOTED` rows must be read one by one."""
    for name in wanted:
        if source.names.count(name) != 1:
            raise refusal(f"the header names {name} {source.names.count(name)} times", "header", name)
    cells = csvplain.cells(source.text, source.begin, source.names, wanted)
    if cells is not None:
        row = pl.int_range(1, cells.height + 1, dtype=pl.Int32, eager=True).alias("row")
        return Table(cells.hstack([row]), NO_REFUSALS, cells.height)
    text = _rows(source.body)
    return _mixed(text, _odd(text, source), source, wanted)


def _names(header: str) -> list[str]:
    if header.count(",") >= MOST_COLUMNS:
        raise refusal(f"the header has {header.count(',') + 1} columns, more than {MOST_COLUMNS}", "header", header)
    fields = _fields(header)
    if isinstance(fields, str):
        raise refusal(f"the header cannot be read: {fields}", "header", header)
    return [name.strip() for name in fields]


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
            return line.rechunk()
    return pl.Series([body.removesuffix(b"\n").decode()]).str.split("\n").explode()


def _odd(text: pl.Series, source: Lines) -> pl.Series:
    """Rows that polars may not be trusted with: blank ones, a wrong number of fields, quotes."""
    odd = text.str.count_matches(",", literal=True) != len(source.names) - 1
    if source.text.find(b'"', source.begin) >= 0:
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
    ).rechunk()  # columns made of these cells stand beside them, in one piece
    cells.columns = in_order
    return cells.select(wanted)


def _mixed(text: pl.Series, odd: pl.Series, source: Lines, wanted: Sequence[str]) -> Table:
    numbered = pl.DataFrame({"row": pl.int_range(1, text.len() + 1, dtype=pl.Int32, eager=True), "line": text})
    commas = pl.col("line").str.count_matches(",", literal=True)
    others = numbered.filter(odd).filter(pl.col("line").str.strip_chars() != "").with_columns(fields=commas + 1)
    simple = others["line"].str.contains(_SIMPLE) & (others["fields"] == len(source.names))
    bare = others.filter(simple).with_columns(pl.col("line").str.replace_all('"', "", literal=True))
    plain = pl.concat([numbered.filter(~odd), bare.select("row", "line")])
    cells = _plain(plain["line"].str.join("\n").item().encode(), source.names, wanted).with_columns(plain["row"])
    cut_off = 0 if source.text.endswith(b"\n") else text.len()
    hard = pl.col("line").str.contains('"', literal=True) & (pl.col("fields") >= len(source.names))
    others = others.filter(~simple).with_columns(hard=hard)
    more, broken = _quoted(others.filter("hard"), source.names, wanted, cut_off)
    miscounted = _miscounted(others.filter(~pl.col("hard")), len(source.names), cut_off)
    refused = pl.concat([miscounted, broken]).sort("row")
    return Table(pl.concat([cells, more]).sort("row").rechunk(), refused, text.len())


def _miscounted(others: pl.DataFrame, columns: int, cut_off: int) -> pl.DataFrame:
    """REFUSED_ROWS of rows that commas alone tell, all at once: there may be as many as the document is long."""
    counted = pl.format("the row holds {} of {} fields", "fields", pl.lit(columns))
    text = "the last row is cut off after {} of {} fields: the document is truncated"
    ended = (pl.col("row") == cut_off) & (pl.col("fields") < columns)
    return others.select(
        "row",
        field=pl.lit("row"),
        value=pl.col("line").str.slice(0, SHOWN),
        reason=pl.when(ended).then(pl.format(text, "fields", pl.lit(columns))).otherwise(counted),
    )


def _quoted(
    others: pl.DataFrame, names: Sequence[str], wanted: Sequence[str], cut_off: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(cells, REFUSED_ROWS) of rows with quotes or commas inside quotes."""
    if others.height > MOST_QUOTED:
        reason = f"{others.height} rows hold quotes or commas inside quotes, at most {MOST_QUOTED} are read"
        raise refusal(reason, "row", others["line"][0])
    places = [names.index(name) for name in wanted]
    good, broken = list[list[str | int]](), list[tuple[int, str, str, str]]()
    for row, line in others.select("row", "line").iter_rows():
        fields = _fields(line)
        if isinstance(fields, str) or len(fields) != len(names):
            broken.append((row, "row", line[:SHOWN], _problem(fields, len(names), cut_off=row == cut_off)))
        else:
            good.append([*(fields[place] for place in places), row])
    schema = {**dict.fromkeys(wanted, pl.String()), "row": pl.Int32()}
    return (
        pl.DataFrame(good, schema=schema, orient="row"),
        pl.DataFrame(broken, schema=dict(REFUSED_ROWS), orient="row"),
    )


def _fields(line: str) -> list[str] | str:
    """The fields of one line, or why it has none."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        known = [cause for sign, cause in _CAUSES if sign in str(error)]
        return known[0] if known else f"the row cannot be read: {error}"


def _problem(fields: Sequence[str] | str, columns: int, *, cut_off: bool) -> str:
    if isinstance(fields, str):
        return fields
    counted = f"{len(fields)} of {columns} fields"
    if cut_off and len(fields) < columns:
        return f"the last row is cut off after {counted}: the document is truncated"
    return f"the row holds {counted}"
