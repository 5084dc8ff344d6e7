"""Columns as JSON text, put together from pieces in one go.

A value that all rows share is one piece for all of them, which costs nothing a row. Amounts keep all their digits;
what is absent is null.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from pipeline import flags, shown

Pieces = Sequence[str | pl.Series]  # each one text for all rows, or one a row

_CELL: Final = pl.col("a")
_FIELD: Final = '{"a":'
_SECOND: Final = 1_000_000


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
    if column.null_count():
        return _written(column, pl.concat_str(pl.lit('"'), shown.iso(_CELL), pl.lit('"')))
    # Many instants share their second, or their place in it: each of these is formatted once.
    micros = column.to_physical()
    return ['"', _looked_up(micros // _SECOND, _seconds), _looked_up(micros % _SECOND, _decimals), 'Z"']


def flag_names(bits: pl.Series) -> Pieces:
    """Arrays of the names of flags."""
    return [_looked_up(bits, lambda each: pl.Series([_array(value) for value in each], dtype=pl.String))]


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


def _looked_up(column: pl.Series, text: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Each cell as `text` has it, which is asked for the distinct ones only."""
    distinct = column.unique().sort()
    return text(distinct).gather(distinct.search_sorted(column))


def _seconds(since_1970: pl.Series) -> pl.Series:
    return (since_1970 * _SECOND).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S")


def _decimals(micros: pl.Series) -> pl.Series:
    """`.5` for half a second, nothing for none."""
    return ("." + micros.cast(pl.String).str.zfill(6)).str.strip_chars_end("0").str.strip_suffix(".")


def _array(bits: int) -> str:
    return "[" + ",".join(f'"{name}"' for name in flags.names(bits)) + "]"
