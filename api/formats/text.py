"""Lists as text: NDJSON, and CSV as RFC 4180 has it."""

from typing import Final

import polars as pl

from api import render
from pipeline.shown import iso, plain

# A cell that begins so may be run as a formula where it is opened, and one that begins with a quote may be taken for
# one that was made harmless. What is a number as a whole is none.
_RISKY: Final = r"^[=+\-@\t\r\n'＝＋－＠]"
_NUMBER: Final = r"^[+-]?[0-9]+(\.[0-9]+)?$"
HARMLESS: Final = "'"


class Ndjson:
    """One JSON object a line; the same text as the rows of JSON answers."""

    def __init__(self, *, decimals_as_text: bool) -> None:
        self._decimals_as_text = decimals_as_text

    def write(self, rows: pl.DataFrame) -> bytes:
        lines = render.lines(rows, decimals_as_text=self._decimals_as_text)
        return lines.str.join("\n").item().encode() + b"\n" if lines.len() else b""

    def finish(self) -> bytes:
        return b""


class Csv:
    """A header, then a line a row, each ended by CR LF. Absent values are empty, an empty text is `""`.

    Amounts have all their digits; instants end in `Z`; lists are joined by `|`. A text that a spreadsheet would run
    gets a `'` before it, and so does one that begins with `'`: whoever takes one `'` off has what was stored.
    """

    def __init__(self) -> None:
        self._begun = False

    def write(self, rows: pl.DataFrame) -> bytes:
        first, self._begun = not self._begun, True
        cells = rows.select(_cell(name, dtype).alias(name) for name, dtype in rows.schema.items())
        return cells.write_csv(include_header=first, line_terminator="\r\n", quote_style="necessary").encode()

    def finish(self) -> bytes:
        return b""


def _cell(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Decimal):
        return plain(column) if dtype.scale else column.cast(pl.String)
    if isinstance(dtype, pl.Datetime):
        return iso(column)
    if isinstance(dtype, pl.List):
        return _harmless(column.list.join("|"))
    return _harmless(column) if dtype == pl.String else column.cast(pl.String)


def _harmless(texts: pl.Expr) -> pl.Expr:
    runs = texts.str.contains(_RISKY) & ~texts.str.contains(_NUMBER)
    return pl.when(runs).then(HARMLESS + texts).otherwise(texts)
