"""Records of an XML document as text columns. No entity is resolved, no DTD read, nothing fetched.

The elements of each field are walked as a column. Where each of them stands in a record of its own, in order, the
column is whole; else the records are told apart one by one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
from lxml import etree

from pipeline.csvtable import MOST_LINES, Table
from pipeline.documents import NO_REFUSALS, REFUSED_ROWS, refusal
from pipeline.rejects import SHOWN, no_problem
from pipeline.text import utf8

Element = etree._Element  # pyright: ignore[reportPrivateUsage]  lxml has no other name for it
_DOCTYPE: Final = b"<!DOCTYPE"
_ENCODING: Final = re.compile(rb"""<\?xml[^>]{0,80}?encoding\s*=\s*["'](?!utf-?8|us-ascii|ascii)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape:
    """Local names: a `record` has one of each of the `fields`; the `heads` of the `group` it stands in go for it."""

    group: str
    heads: Sequence[str]
    record: str
    fields: Sequence[str]


def root(content: bytes, name: str) -> Element:
    """The document's first element, which has that local name.

    Bytes that are no UTF-8 become U+FFFD, where the document does not say another encoding. Raises
    `DataProcessingError` for what is no such XML, is cut off, or has a document type.
    """
    data = content.strip()
    if _DOCTYPE in data:
        raise refusal("the XML has a document type, whose entities are not resolved: send it without", "document")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_blank_text=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        found = etree.fromstring(data if _ENCODING.match(data) else utf8(data), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise refusal(_unreadable(data, name, str(error)), "document") from None
    if found is None or etree.QName(found).localname != name:  # pyright: ignore[reportUnnecessaryComparison]
        raise refusal(f"the XML is no {name}", "document", data[:SHOWN].decode(errors="replace"))
    return found


def _unreadable(data: bytes, name: str, error: str) -> str:
    whole = re.search(rf"</(?:[\w.-]+:)?{name}\s*>$".encode(), data[-SHOWN:])
    return f"the XML {'cannot be read' if whole else 'is truncated'}: {' '.join(error.split())[:SHOWN]}"


def records(of: Element, shape: Shape) -> Table:
    """The records below: the text of each field, of each head (null where the group has none), and `row` from 1.

    One that lacks a field, has it twice, or has elements within it, is in `broken`.
    """
    tags = _tags(of)
    found = list(of.iter(tags(shape.record)))
    if len(found) > MOST_LINES:
        raise refusal(f"the document has {len(found)} records, at most {MOST_LINES} are read", "document")
    columns, problems = dict[str, pl.Series](), dict[str, pl.Series]()
    for field in shape.fields:
        columns[field], problems[field] = _column(found, list(of.iter(tags(field))), field)
    for head in shape.heads:
        columns[head] = _heads(found, tags(shape.group), tags(head))
    rows = pl.int_range(1, len(found) + 1, dtype=pl.Int32, eager=True)
    table = pl.DataFrame({**columns, "row": rows})
    broken = _broken(table, problems)
    return Table(table if broken.is_empty() else table.join(broken, on="row", how="anti"), broken, table.height)


def _tags(of: Element) -> Callable[[str], str]:
    """From local names to those in the document's namespace."""
    space = etree.QName(of).namespace
    return (lambda name: f"{{{space}}}{name}") if space else (lambda name: name)


def _column(records: list[Element], cells: list[Element], field: str) -> tuple[pl.Series, pl.Series]:
    """(the text of each record's cell, why it has none)."""
    if [cell.getparent() for cell in cells] == records and not any(map(len, cells)):
        return _texts([cell.text or "" for cell in cells]), no_problem(len(records))
    own = dict[Element, list[str | None]]()
    for cell in cells:
        parent = cell.getparent()
        if parent is not None:
            own.setdefault(parent, []).append(None if len(cell) else cell.text or "")
    each = [own.get(record, []) for record in records]
    return _texts([texts[0] if texts else None for texts in each]), _texts([_wrong(texts, field) for texts in each])


def _wrong(texts: Sequence[str | None], field: str) -> str | None:
    if not texts:
        return f"the record has no {field}"
    if len(texts) > 1:
        return f"the record has {field} {len(texts)} times"
    return None if texts[0] is not None else f"the record's {field} holds elements, a text is expected"


def _heads(records: list[Element], group: str, head: str) -> pl.Series:
    """The head of each record's group."""
    told, texts = dict[Element | None, str | None](), list[str | None]()
    for record in records:
        parent = record.getparent()
        if parent not in told:
            found = next(parent.iter(head), None) if parent is not None and parent.tag == group else None
            told[parent] = None if found is None else found.text or ""
        texts.append(told[parent])
    return _texts(texts)


def _texts(texts: list[str | None]) -> pl.Series:
    return pl.Series(texts, dtype=pl.String)


def _broken(table: pl.DataFrame, problems: Mapping[str, pl.Series]) -> pl.DataFrame:
    """REFUSED_ROWS: the first problem of each record, beside what it holds."""
    shown = pl.concat_str(list(problems), separator=" ", ignore_nulls=True).str.slice(0, SHOWN)
    told = [
        table.filter(problem.is_not_null()).select(
            "row", field=pl.lit(field), value=shown, reason=pl.lit(problem.drop_nulls())
        )
        for field, problem in problems.items()
        if problem.null_count() < problem.len()
    ]
    if not told:
        return NO_REFUSALS
    return pl.concat(told).unique("row", keep="first", maintain_order=True).sort("row").select(list(REFUSED_ROWS))
