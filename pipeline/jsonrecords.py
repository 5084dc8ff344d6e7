"""The records of a JSON list one by one, whatever they hold, as text columns.

Cells stay raw JSON while they are sorted into columns; they are unquoted as columns. An element that is no record
refuses itself alone.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec
import polars as pl

from pipeline.csvtable import MOST_LINES, Table
from pipeline.documents import NO_REFUSALS, REFUSED_ROWS, refusal
from pipeline.errors import DataProcessingError
from pipeline.rejects import SHOWN
from pipeline.text import whole

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NULL: Final = msgspec.Raw(b"null")
_NO_SEPARATOR: Final = "\x01"
_NESTED: Final = r"^[\[{]"
_encode_lines: Final = msgspec.json.Encoder().encode_lines


def table(raw: msgspec.Raw, where: str, wanted: Sequence[str], shape: type) -> Table:
    """The wanted cells of the records at `where`, whose cells in order are the attributes c0, c1 and so on of `shape`.

    Raises `DataProcessingError` where there is no list.
    """
    try:
        rows, broken = msgspec.json.decode(raw, type=list[shape]), dict[int, msgspec.Raw]()
    except msgspec.ValidationError:
        rows, broken = _one_by_one(raw, where, shape)
    except UNREADABLE as error:
        raise no_json(error) from None
    refuse_many(len(rows) + len(broken), where)
    return _columns(rows, broken, wanted)


def refuse_many(rows: int, where: str) -> None:
    """Raises `DataProcessingError` for more than can be read."""
    if rows > MOST_LINES:
        raise refusal(f"{where} has {rows} elements, at most {MOST_LINES} are read", where)


def no_json(error: Exception) -> DataProcessingError:
    """The refusal of what cannot be read as JSON."""
    if "truncated" in str(error):
        return refusal("the document is truncated: its JSON ends too early", "document")
    return refusal(f"the document is no JSON: {error}", "document")


@lru_cache(64)
def keyed(wanted: tuple[str, ...]) -> type:
    """A struct of raw cells, `c0` the first wanted key."""
    fields = [(f"c{place}", msgspec.Raw, _NULL) for place in range(len(wanted))]
    return msgspec.defstruct("Keyed", fields, gc=False, rename={f"c{place}": name for place, name in enumerate(wanted)})


@lru_cache(64)
def placed(size: int, wanted: tuple[int, ...]) -> type:
    """The same of a list: exactly `size` cells, `c0` the first wanted one."""
    names = {at: f"c{place}" for place, at in enumerate(wanted)}
    fields = [(names.get(at, f"o{at}"), msgspec.Raw) for at in range(size)]
    return msgspec.defstruct("Placed", fields, gc=False, array_like=True, forbid_unknown_fields=True)


def _one_by_one(raw: msgspec.Raw, where: str, shape: type) -> tuple[list[Any], dict[int, msgspec.Raw]]:
    """The elements that have the shape, and the others by their place (from 1)."""
    rows, broken = list[Any](), dict[int, msgspec.Raw]()
    try:
        elements = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        raise refusal(f"{where} is no list", where, _shown(raw)) from None
    for place, element in enumerate(elements, 1):
        try:
            rows.append(msgspec.json.decode(element, type=shape))
        except msgspec.ValidationError:
            broken[place] = element
    return rows, broken


def _columns(rows: Sequence[Any], broken: Mapping[int, msgspec.Raw], wanted: Sequence[str]) -> Table:
    total = len(rows) + len(broken)
    numbers = pl.int_range(1, total + 1, dtype=pl.Int32, eager=True)
    kept = numbers.filter(~numbers.is_in(list(broken))) if broken else numbers
    read = {name: _cells(list(map(attrgetter(f"c{place}"), rows))) for place, name in enumerate(wanted)}
    cells = pl.DataFrame({name: text for name, (text, _) in read.items()}).with_columns(kept.alias("row"))
    odd = {name: nested for name, (_, nested) in read.items() if nested is not None}
    if not (odd or broken):
        return Table(cells, NO_REFUSALS, total)
    refused = [_broken(broken), *(_nested(name, cells[name], kept, nested) for name, nested in odd.items())]
    unread = pl.concat(refused).unique("row", keep="first", maintain_order=True).sort("row")
    return Table(cells.filter(~kept.is_in(unread["row"].implode())), unread, total)


def _cells(raw: list[msgspec.Raw]) -> tuple[pl.Series, pl.Series | None]:
    """(text of the cells, which of them are no single value: null where all are)."""
    lines = _lines(raw)
    text = _text(lines)
    nested = text.str.contains(_NESTED) if b"[" in lines or b"{" in lines else None
    if nested is not None and not nested.any():
        nested = None
    quoted = text.str.starts_with('"') if b'"' in lines else None
    if quoted is not None:
        text = text.zip_with(~quoted, text.str.slice(1).str.strip_suffix('"'))
        text = _unescaped(text, quoted & text.str.contains("\\", literal=True)) if b"\\" in lines else text
    if b"null" in lines:
        null = text == "null" if quoted is None else ~quoted & (text == "null")
        text = text.set(null, None)
    return text, nested


def _lines(cells: list[msgspec.Raw]) -> bytes:
    """One line a cell."""
    lines = _encode_lines(cells)
    if lines.count(b"\n") != len(cells):  # an object or a list over several lines
        return b"".join([b" ".join(bytes(cell).split()) + b"\n" for cell in cells])
    return lines


def _text(lines: bytes) -> pl.Series:
    """The lines as a column: read as a CSV document, three times as fast as a split."""
    if not lines:
        return pl.Series(dtype=pl.String)
    return pl.read_csv(
        lines, has_header=False, separator=_NO_SEPARATOR, quote_char=None, infer_schema=False,
        empty_string_is_null=False,
    ).to_series()  # fmt: skip


def _unescaped(cells: pl.Series, escaped: pl.Series) -> pl.Series:
    if not escaped.any():
        return cells
    distinct = cells.filter(escaped).unique()
    read = [whole(msgspec.json.decode(f'"{text}"', type=str)) for text in distinct]
    return (
        cells.set(escaped, None)
        .fill_null("")
        .zip_with(~escaped, cells.replace_strict(distinct, read, default=None, return_dtype=pl.String))
    )


def _broken(broken: Mapping[int, msgspec.Raw]) -> pl.DataFrame:
    rows = [
        (place, "record", _shown(raw), "the record is not of the shape of the others") for place, raw in broken.items()
    ]
    return pl.DataFrame(rows, schema=dict(REFUSED_ROWS), orient="row")


def _nested(name: str, cells: pl.Series, rows: pl.Series, bad: pl.Series) -> pl.DataFrame:
    found = pl.DataFrame({"row": rows.filter(bad), "value": cells.filter(bad).str.slice(0, SHOWN)})
    reason = pl.format("{} '{}' is no single value", pl.lit(name), "value")
    return found.with_columns(field=pl.lit(name), reason=reason).select(list(REFUSED_ROWS))


def _shown(raw: msgspec.Raw) -> str:
    return bytes(raw)[:SHOWN].decode(errors="replace")
