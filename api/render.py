"""Frames to JSON text, column by column: no Python object a row, and every digit of a decimal."""

from functools import lru_cache
from typing import Final

import polars as pl

from pipeline.shown import iso

# What JSON wants escaped inside a string.
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"'} | {chr(code): f"\\u{code:04x}" for code in range(0x20)}
_UNSAFE: Final = r'["\\\x00-\x1f]'
_FROM: Final = list(_ESCAPES)
_TO: Final = list(_ESCAPES.values())
_FEW: Final = 2_000  # rows: to find out what they share would cost as much as it saves

Texts = tuple[tuple[str, str], ...]


def rows(frame: pl.DataFrame, *, decimals_as_text: bool = False) -> str:
    """The rows as JSON objects joined by commas, fields in the order of the columns, absent values as null.

    Instants end in `Z`; decimals are numbers with all their digits and no trailing zeros, or text on request.
    """
    return ",".join(lines(frame, decimals_as_text=decimals_as_text))


def lines(frame: pl.DataFrame, *, decimals_as_text: bool = False) -> pl.Series:
    """The same, one text a row."""
    if frame.is_empty():
        return pl.Series(dtype=pl.String)
    safe = _without_escapes(frame)
    line = _line(tuple(frame.schema.items()), _shared(safe, decimals_as_text), decimals_as_text=decimals_as_text)
    return safe.with_columns(line)["line"]


def _shared(frame: pl.DataFrame, decimals_as_text: bool) -> Texts:  # noqa: FBT001
    """What all of many rows have alike, by column, as it stands in each of them."""
    if frame.height <= _FEW:
        return ()
    same = frame.select(pl.all().eq_missing(pl.all().first()).all()).row(0, named=True)
    one = frame.head(1).select(_values(tuple(frame.schema.items()), decimals_as_text)).row(0, named=True)
    return tuple((name, one[name]) for name in same if same[name])


@lru_cache(maxsize=64)
def _values(schema: tuple[tuple[str, pl.DataType], ...], decimals_as_text: bool) -> list[pl.Expr]:  # noqa: FBT001
    return [_value(name, dtype, decimals_as_text=decimals_as_text).alias(name) for name, dtype in schema]


@lru_cache(maxsize=64)
def _line(schema: tuple[tuple[str, pl.DataType], ...], shared: Texts, *, decimals_as_text: bool) -> pl.Expr:
    """A row as a JSON object. Kept, because making it takes as long as rendering a few rows with it."""
    texts, parts, text = dict(shared), list[pl.Expr](), ""
    for at, (name, dtype) in enumerate(schema):
        text += ("{" if at == 0 else ",") + f'"{name}":'
        if name in texts:
            text += texts[name]
            continue
        parts += [pl.lit(text), _value(name, dtype, decimals_as_text=decimals_as_text)]
        text = ""
    return pl.concat_str(*parts, pl.lit(text + "}")).alias("line")


def _without_escapes(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its texts as they stand inside JSON; names rarely hold what must be escaped."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    found = frame.select(pl.col(texts).str.contains(_UNSAFE).any())
    odd = [name for name in texts if found[name].item()]
    return frame.with_columns(pl.col(odd).str.replace_many(_FROM, _TO)) if odd else frame


def _value(name: str, dtype: pl.DataType, *, decimals_as_text: bool) -> pl.Expr:
    return _present(pl.col(name), dtype, decimals_as_text=decimals_as_text).fill_null("null")


def _present(column: pl.Expr, dtype: pl.DataType, *, decimals_as_text: bool) -> pl.Expr:
    if isinstance(dtype, pl.Decimal):
        digits = _digits(column, dtype)
        return _quoted(digits) if decimals_as_text else digits
    if isinstance(dtype, pl.Datetime):
        return _quoted(iso(column))
    if isinstance(dtype, pl.List):
        inner = _quoted(column.list.join('","'))
        return pl.when(column.list.len() == 0).then(pl.lit("[]")).otherwise("[" + inner + "]")
    if dtype == pl.String:
        return _quoted(column)
    text = column.cast(pl.String)
    return _quoted(text) if dtype == pl.Date else text


def _digits(column: pl.Expr, dtype: pl.Decimal) -> pl.Expr:
    text = column.cast(pl.String)
    return text.str.strip_chars_end("0").str.strip_chars_end(".") if dtype.scale else text


def _quoted(text: pl.Expr) -> pl.Expr:
    return '"' + text + '"'
