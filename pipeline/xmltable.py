"""Records of an XML document as text columns. No entity is resolved, no DTD read, nothing fetched."""

from collections.abc import Iterator, Sequence
from typing import Final, cast

import polars as pl
from lxml import etree

from pipeline.csvtable import MOST_LINES, Table
from pipeline.documents import REFUSED_ROWS, refusal
from pipeline.rejects import SHOWN

Element = etree._Element  # pyright: ignore[reportPrivateUsage]  lxml has no other name for it
_DOCTYPE: Final = b"<!DOCTYPE"
_CUT: Final = ("Premature end", "EndTag", "not finished", "Couldn't find end")


def root(content: bytes) -> Element:
    """The document's first element. Raises `DataProcessingError` for what is no XML, is cut off, or has a DTD."""
    if _DOCTYPE in content:
        raise refusal("the XML has a document type, whose entities are not resolved: send it without", "document")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        found = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        told = " ".join(str(error).split())[:SHOWN]
        cut = any(sign in told for sign in _CUT) or not content.rstrip().endswith(b">")
        raise refusal(
            f"the XML is truncated: {told}" if cut else f"the XML cannot be read: {told}", "document"
        ) from None
    if found is None:
        raise refusal("the XML holds nothing", "document")
    return found


def named(of: Element, name: str) -> Iterator[Element]:
    """Elements of that local name below, in whatever namespace, in order."""
    return of.iter(f"{{*}}{name}")


def text(of: Element, name: str) -> str | None:
    """The text of the first element of that local name below."""
    found = next(named(of, name), None)
    return None if found is None else (found.text or "").strip()


def records(of: Element, name: str, fields: Sequence[str]) -> Table:
    """The elements of a name below `of`: each field's text; `row` counts them from 1. One that lacks a field, or has
    it twice, is in `broken`."""
    found = list(named(of, name))
    if len(found) > MOST_LINES:
        raise refusal(f"the document has {len(found)} records, at most {MOST_LINES} are read", "document")
    tags = _tags(found, fields)
    numbers = pl.int_range(1, len(found) + 1, dtype=pl.Int32, eager=True).alias("row")
    columns = [[cell.text or "" for cell in of.iter(tag)] for tag in tags]
    odd = _odd(of, found, tags)
    if odd or any(len(column) != len(found) for column in columns):
        good = [record for record in found if record not in odd]
        columns = [[record.findtext(tag) or "" for record in good] for tag in tags]
        numbers = pl.Series("row", [place for place, record in enumerate(found, 1) if record not in odd], pl.Int32)
    cells = [pl.Series(field, column, dtype=pl.String) for field, column in zip(fields, columns, strict=True)]
    broken = [(place, *_broken(record, fields, tags)) for place, record in enumerate(found, 1) if record in odd]
    return Table(
        pl.DataFrame([*cells, numbers]), pl.DataFrame(broken, schema=dict(REFUSED_ROWS), orient="row"), len(found)
    )


def _tags(found: list[Element], fields: Sequence[str]) -> list[str]:
    """The fields' full names: of the records' own namespace."""
    space = etree.QName(found[0]).namespace if found else None
    return [f"{{{space}}}{field}" if space else field for field in fields]


def _odd(of: Element, found: list[Element], tags: list[str]) -> set[Element]:
    """Records that have not exactly one of each field."""
    if not found:
        return set()
    names = [tag.rpartition("}")[2] for tag in tags]
    space = etree.QName(found[0]).namespace or ""
    prefix = "o:" if space else ""
    wrong = " or ".join(f"count({prefix}{name}) != 1" for name in names)
    path = f".//{prefix}{etree.QName(found[0]).localname}[{wrong}]"
    return set(cast("list[Element]", of.xpath(path, namespaces={"o": space} if space else None)))


def _broken(record: Element, fields: Sequence[str], tags: list[str]) -> tuple[str, str, str]:
    wrong = [field for field, tag in zip(fields, tags, strict=True) if len(record.findall(tag)) != 1]
    shown = " ".join(etree.tostring(record, encoding="unicode").split())[:SHOWN]
    return "record", shown, f"the record has not exactly one {', '.join(wrong)}"
