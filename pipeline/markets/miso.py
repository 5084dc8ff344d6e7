"""MISO: hourly files of a day, the public five-minute feed and consolidated table, weekly and ex-ante five-minute
files, and answers of the pricing API.

All times are Eastern Standard Time, all year: each day has 24 hours. A price's identity is its interval's start.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from pipeline import rejects
from pipeline.documents import Document, ParsedDocument, refusal
from pipeline.markets import miso_day, miso_five, miso_pricing, miso_reports, miso_table
from pipeline.markets.miso_reports import Kind

HEAD: Final = 64 * 1024  # bytes of a document that tell its form
_READERS: Final[Mapping[Kind, Callable[[Document], ParsedDocument]]] = MappingProxyType({
    Kind.DAY: miso_day.parse,
    Kind.TABLE: miso_table.parse,
    Kind.HUBS: miso_table.hubs,
    Kind.FEED: miso_five.feed,
    Kind.FEED_CSV: miso_five.feed_csv,
    Kind.WEEK: miso_five.week,
    Kind.BOOK: miso_five.book,
    Kind.PRICING: miso_pricing.parse,
})  # fmt: skip
_KNOWN: Final = (
    "send a daily file of LMPs, GetLmpConsolidatedTable, GetRealTimeFiveMinExPost, GetExAnteLmp, the weekly 5MIN_LMP "
    "file, the daily 5min_exante_lmp workbook, or lmp answers of the pricing API"
)


def claims(name: str, head: bytes) -> bool:
    """Any document in one of MISO's forms, prices or not."""
    del name  # names are often changed on the way: the content decides
    return miso_reports.kind(head) is not None


def parse(document: Document) -> ParsedDocument:
    """Every price as a tick, a gap where it is missing, or a refusal. Raises `DataProcessingError` to refuse the
    document, because it is in no form of MISO's prices, in doubt, cut off, or of another product."""
    head = document.content[:HEAD]
    kind = miso_reports.kind(head)
    reader = _READERS.get(kind) if kind else None
    if reader is not None:
        return reader(document)
    shown = head[: rejects.SHOWN].decode(errors="replace")
    if head.lstrip()[:1] == b"<":
        raise refusal("this is a web page or other markup, no document of MISO's prices", "document", shown)
    what = "this is no document of MISO's prices" if kind is None else "these are no prices of energy that can be read"
    raise refusal(f"{what}: {_KNOWN}", "document", shown)
