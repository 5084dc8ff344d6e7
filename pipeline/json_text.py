"""Columns as JSON text, put together from pieces in one go.

A value that all rows share is one piece for all of them, which costs nothing a row. Amounts keep all their digits;
what is absent is null.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from pipeline import flags, shown
from pipeline.distinct import looked_up

Pieces = Sequence[str | pl.Series]  # each one text for all rows, or one a row

_CELL: Final = pl.col("a")
_FIELD: Final = '{"a":'


def texts(column: pl.Series) -> Pieces:
    """JSON strings."""
    return _written(column, pl.struct(_CELL).struct.json_encode().str.slice(len(_FIELD)).str.strip_suffix("}"))


def amounts(column: pl.Series) -> Pieces:
    """Decimals as numbers without trailing zeros."""
    return _written(column, shown.plain(_CELL))


def plain(column: pl.Series) -> Pieces:
    """Text as it is, for the inside of a string: none of it needs to be escaped."""
    return _written(column, _CELL)


def numbers(column: pl.Series) -> Pieces:
    """Integers."""
    return _written(column, _CELL.cast(pl.String))


def instants(column: pl.Series) -> Pieces:
    """Instants (microseconds, UTC) with `Z`, with the decimals of the second that are there."""
    return _written(column, pl.concat_str(pl.lit('"'), shown.iso(_CELL), pl.lit('"')))


def flag_names(bits: pl.Series) -> Pieces:
    """Arrays of the names of flags."""
    return [looked_up(bits, lambda each: pl.Series([_array(value) for value in each], dtype=pl.String))]


def members(values: Mapping[str, Pieces]) -> Pieces:
    """An object with members of these names, in this order."""
    pieces: list[str | pl.Series] = []
    for name, value in values.items():
        pieces += [f'{"," if pieces else "{"}"{name}":', *value]
    return [*pieces, "}"]


def joined(pieces: Pieces) -> pl.Expr:
    """The pieces of each row as one text."""
    return pl.concat_str([pl.lit(piece) for piece in _merged(pieces)])


def _merged(pieces: Pieces) -> Iterator[str | pl.Series]:
    """The same with texts that follow each other as one."""
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        yield text
        yield piece
        text = ""
    yield text


def _written(column: pl.Series, text: pl.Expr) -> Pieces:
    """Each cell as `text` has it, an expression of the column `a`."""
    cells = column.alias("a")
    shared = cells.null_count() in (0, cells.len()) and bool((cells == cells.head(1)).all())
    made = (cells.head(1) if shared else cells).to_frame().select(text.fill_null("null")).to_series()
    return made.to_list() if shared else [made]


def _array(bits: int) -> str:
    return "[" + ",".join(f'"{name}"' for name in flags.names(bits)) + "]"
