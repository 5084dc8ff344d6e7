"""The parsers of the exchanges' own documents: one module a market."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

import polars as pl

from pipeline.documents import Document, ParsedDocument, refusal
from pipeline.markets import caiso, ercot, henry_hub, miso, nyiso, pjm

HEAD: Final = 64 * 1024  # bytes of a document that tell whose it is


class Parser(Protocol):
    """What a market's module offers."""

    def claims(self, name: str, head: bytes) -> bool:
        """The document is this exchange's, be it a price document or not."""
        ...

    def parse(self, document: Document) -> ParsedDocument:
        """Every data row as a tick, a part of one (`Parts`) or a refusal. Raises `DataProcessingError` to refuse the
        whole document."""
        ...


PARSERS: Final[Mapping[str, Parser]] = MappingProxyType(
    {"caiso": caiso, "ercot": ercot, "henry_hub": henry_hub, "miso": miso, "nyiso": nyiso, "pjm": pjm}
)


def parse(document: Document) -> ParsedDocument:
    """The document read by its market's parser, or by the only one that claims it where no market is named."""
    if not document.content or document.content.isspace():
        raise refusal("the document is empty", "document", document.name)
    try:
        return PARSERS[_market(document)].parse(document)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise refusal(f"the document cannot be read: {str(error)[:200]}", "document", document.name) from error


def _market(document: Document) -> str:
    if document.market is not None:
        if document.market in PARSERS:
            return document.market
        known = ", ".join(sorted(PARSERS))
        reason = f"market {document.market[:64]!r} has no documents that can be read (known: {known})"
        raise refusal(reason, "market", document.market)
    head = document.content[:HEAD]
    found = [name for name, parser in PARSERS.items() if parser.claims(document.name, head)]
    if len(found) == 1:
        return found[0]
    doubt = f"it may be of {' or '.join(found)}" if found else "no market recognises it"
    raise refusal(f"whose document this is cannot be told: {doubt}; name the market", "document", document.name)
