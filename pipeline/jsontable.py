"""A list in a JSON document as text columns found by name: numbers keep the digits that the document writes.

Cells stay raw JSON while they are sorted into columns; they are unquoted as columns. An element that is no record
refuses itself alone.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec
import polars as pl

from pipeline.csvtable import Table
from pipeline.documents import REFUSED_ROWS, refusal
from pipeline.errors import DataProcessingError
from pipeline.rejects import SHOWN
from pipeline.text import utf8

MOST_ROWS: Final = 5_000_000  # as lines of a CSV document
_FIRST: Final = 10  # elements that tell the keys: one of them may be broken
_MOST_STEPS: Final = 100  # columns of a positional list
_BEGINS: Final = re.compile(rb"\s*[\[{]")
_NULL: Final = msgspec.Raw(b"null")
_NO_SEPARATOR: Final = "\x01"
_NESTED: Final = r"^[\[{]"
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_encode_lines: Final = msgspec.json.Encoder().encode_lines


def is_json(head: bytes) -> bool:
    """The document begins as a JSON object or list."""
    return _BEGINS.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def objects(content: bytes, path: Sequence[str], wanted: Sequence[str]) -> Table:
    """The list of objects at `path`: `cells` holds the wanted keys as text (null where a key is absent or null).

    An element that is no object, or has an object or a list for a wanted key, is in `broken`. Raises
    `DataProcessingError` for what is no JSON, and where no list of objects stands at `path`.
    """
    return _table(content, path, wanted, _keyed(tuple(wanted)))


def arrays(content: bytes, path: Sequence[str], names: Sequence[str], wanted: Sequence[str]) -> Table:
    """The same of a list of lists, whose cells have the given names by their place."""
    if len(names) > _MOST_STEPS or any(names.count(name) != 1 for name in wanted):
        raise refusal(f"each of {', '.join(wanted)} is expected once among the fields", "fields", ",".join(names))
    places = tuple(names.index(name) for name in wanted)
    return _table(content, path, wanted, _placed(len(names), places))


def part(content: bytes, path: Sequence[str]) -> object | None:
    """What stands at `path`, decoded, its fractions as `Decimal`; null where nothing does."""
    raw = _at(utf8(content), path)
    try:
        return None if raw is None else json.loads(bytes(raw), parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise _no_json(error) from None


def keys(content: bytes, path: Sequence[str]) -> list[str]:
    """The keys of the first objects of the list at `path`, in their order; none where there is no such list."""
    raw = _at(utf8(content), path)
    try:
        first = msgspec.json.decode(raw, type=list[msgspec.Raw])[:_FIRST] if raw is not None else []
    except _UNREADABLE:
        return []
    return list(dict.fromkeys(key for element in first for key in _own_keys(element)))


def _own_keys(element: msgspec.Raw) -> list[str]:
    try:
        return list(msgspec.json.decode(element, type=dict[str, msgspec.Raw]))
    except _UNREADABLE:
        return []


def _at(data: bytes, path: Sequence[str]) -> msgspec.Raw | None:
    try:
        here = msgspec.json.decode(data, type=msgspec.Raw) if not path else msgspec.Raw(data)
        for step in path:
            found = msgspec.json.decode(here, type=dict[str, msgspec.Raw]).get(step)
            if found is None:
                return None
            here = found
    except msgspec.ValidationError:  # something else than an object on the way
        return None
    except _UNREADABLE as error:
        raise _no_json(error) from None
    return here


def _no_json(error: Exception) -> DataProcessingError:
    if "truncated" in str(error):
        return refusal("the document is truncated: its JSON ends too early", "document")
    return refusal(f"the document is no JSON: {error}", "document")


def _table(content: bytes, path: Sequence[str], wanted: Sequence[str], shape: type) -> Table:
    where = ".".join(path) or "the document"
    raw = _at(utf8(content), path)
    if raw is None:
        raise refusal(f"{where} is absent: a list is expected there", where)
    try:
        rows, broken = msgspec.json.decode(raw, type=list[shape]), dict[int, msgspec.Raw]()
    except msgspec.ValidationError:
        rows, broken = _one_by_one(raw, where, shape)
    except _UNREADABLE as error:
        raise _no_json(error) from None
    if len(rows) + len(broken) > MOST_ROWS:
        raise refusal(f"{where} has {len(rows) + len(broken)} elements, at most {MOST_ROWS} are read", where)
    return _columns(rows, broken, wanted)


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


@lru_cache(64)
def _keyed(wanted: tuple[str, ...]) -> type:
    """A struct of raw cells, `c0` the first wanted key."""
    fields = [(f"c{place}", msgspec.Raw, _NULL) for place in range(len(wanted))]
    return msgspec.defstruct("Keyed", fields, gc=False, rename={f"c{place}": name for place, name in enumerate(wanted)})


@lru_cache(64)
def _placed(size: int, wanted: tuple[int, ...]) -> type:
    """The same of a list: exactly `size` cells, `c0` the first wanted one."""
    names = {at: f"c{place}" for place, at in enumerate(wanted)}
    fields = [(names.get(at, f"o{at}"), msgspec.Raw) for at in range(size)]
    return msgspec.defstruct("Placed", fields, gc=False, array_like=True, forbid_unknown_fields=True)


def _columns(rows: Sequence[Any], broken: Mapping[int, msgspec.Raw], wanted: Sequence[str]) -> Table:
    """The table of rows, whose cells are the attributes c0, c1 and so on."""
    total = len(rows) + len(broken)
    numbers = pl.int_range(1, total + 1, dtype=pl.Int32, eager=True)
    kept = numbers.filter(~numbers.is_in(list(broken))) if broken else numbers
    read = {name: _cells([getattr(row, f"c{place}") for row in rows]) for place, name in enumerate(wanted)}
    cells = pl.DataFrame({name: text for name, (text, _) in read.items()}).with_columns(kept.alias("row"))
    odd = {name: nested for name, (_, nested) in read.items() if nested is not None}
    if not (odd or broken):
        return Table(cells, pl.DataFrame(schema=dict(REFUSED_ROWS)), total)
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
    read = [_plain(msgspec.json.decode(f'"{text}"', type=str)) for text in distinct]
    return (
        cells.set(escaped, None)
        .fill_null("")
        .zip_with(~escaped, cells.replace_strict(distinct, read, default=None, return_dtype=pl.String))
    )


def _plain(text: str) -> str:
    """Without lone surrogates, which no text may hold."""
    return text.encode(errors="replace").decode()


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
