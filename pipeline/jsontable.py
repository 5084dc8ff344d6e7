"""A list in a JSON document as text columns found by name: numbers keep the digits that the document writes."""

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec
import polars as pl

from pipeline import jsonflat, jsonrecords
from pipeline.csvtable import Table
from pipeline.documents import NO_REFUSALS, refusal
from pipeline.jsonrecords import UNREADABLE, no_json
from pipeline.text import utf8

_FIRST: Final = 10  # elements that tell the keys: one of them may be broken
_HEAD: Final = 16 * 1024  # bytes in which these elements may be looked for
_MOST_STEPS: Final = 100  # columns of a positional list
_BEGINS: Final = re.compile(rb"\s*[\[{]")


def is_json(head: bytes) -> bool:
    """The document begins as a JSON object or list."""
    return _BEGINS.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def objects(content: bytes, path: Sequence[str], wanted: Sequence[str]) -> Table:
    """The list of objects at `path`: `cells` holds the wanted keys as text (null where a key is absent or null).

    An element that is no object, or has an object or a list for a wanted key, is in `broken`. Raises
    `DataProcessingError` for what is no JSON, and where no list of objects stands at `path`.
    """
    return _table(content, path, wanted, jsonrecords.keyed(tuple(wanted)), lambda data: jsonflat.objects(data, wanted))


def arrays(content: bytes, path: Sequence[str], names: Sequence[str], wanted: Sequence[str]) -> Table:
    """The same of a list of lists, whose cells have the given names by their place."""
    if len(names) > _MOST_STEPS or any(names.count(name) != 1 for name in wanted):
        raise refusal(f"each of {', '.join(wanted)} is expected once among the fields", "fields", ",".join(names))
    places = tuple(names.index(name) for name in wanted)
    at = dict(zip(wanted, places, strict=True))
    shape = jsonrecords.placed(len(names), places)
    return _table(content, path, wanted, shape, lambda data: jsonflat.arrays(data, len(names), at))


def part(content: bytes, path: Sequence[str]) -> object | None:
    """What stands at `path`, decoded, its fractions as `Decimal`; null where nothing does."""
    raw = _at(utf8(content), path)
    try:
        return None if raw is None else json.loads(bytes(raw), parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise no_json(error) from None


def keys(content: bytes, path: Sequence[str]) -> list[str]:
    """The keys of the first objects of the list at `path`, in their order; none where there is no such list."""
    raw = _at(utf8(content), path)
    if raw is None:
        return []
    data = bytes(raw)
    head = data[: data.rfind(b"}", 0, _HEAD) + 1] + b"]"
    first = _elements(head)[:_FIRST]
    if len(first) < _FIRST:  # or the head was cut within an element
        first = _elements(data)[:_FIRST]
    return list(dict.fromkeys(key for element in first for key in _own_keys(element)))


def _elements(data: bytes) -> list[msgspec.Raw]:
    try:
        return msgspec.json.decode(data, type=list[msgspec.Raw])
    except UNREADABLE:
        return []


def _own_keys(element: msgspec.Raw) -> list[str]:
    try:
        return list(msgspec.json.decode(element, type=dict[str, msgspec.Raw]))
    except UNREADABLE:
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
    except UNREADABLE as error:
        raise no_json(error) from None
    return here


def _table(
    content: bytes, path: Sequence[str], wanted: Sequence[str], shape: type, cut: Callable[[bytes], pl.DataFrame | None]
) -> Table:
    """The list at `path`, cut at once where it can be, else read record by record."""
    where = ".".join(path) or "the document"
    raw = _at(utf8(content), path)
    if raw is None:
        raise refusal(f"{where} is absent: a list is expected there", where)
    cells = cut(bytes(raw))
    if cells is None:
        return jsonrecords.table(raw, where, wanted, shape)
    jsonrecords.refuse_many(cells.height, where)
    return Table(cells, NO_REFUSALS, cells.height)
