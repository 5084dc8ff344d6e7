"""MISO's five-minute prices: the public feed (JSON, CSV), the weekly file of final ones, the daily ex-ante workbook.

Every stamp is read as the END of its interval. For the public feed that is proven: its stamps 01:05 to 02:00 average to
the published hour ending 2. What the weekly file's MKTHOUR_EST means is not proven. It is read like the feed's stamps,
for its prices revise the feed's: like the days of the feed, its weeks hold stamps from 00:00 to 23:55, and other
five-minute reports of MISO name an interval by its end (MKT_INT_END_EST, MARKET_HOUR_EST). The same goes for the
workbook's Time (EST); its prices are others, ex-ante, and come with their energy.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import csvtable, jsontable, stamps, times
from pipeline.csvtable import Table
from pipeline.distinct import spread
from pipeline.documents import Document, ParsedDocument, refusal, refusals
from pipeline.markets import miso_reports, miso_rows
from pipeline.markets.miso_reports import EXANTE, FINAL, PRELIMINARY, RTD
from pipeline.markets.miso_rows import BEHIND, FIVE
from pipeline.schema import within_bounds

# What the documents call each text.
FEED: Final = {"stamp": "INTERVAL", "location": "CPNODE", "price": "LMP", "congestion": "MCC", "loss": "MLC"}
WEEK: Final = {
    "stamp": "MKTHOUR_EST", "location": "PNODENAME", "price": "LMP", "congestion": "CON_LMP", "loss": "LOSS_LMP",
}  # fmt: skip
BOOK: Final = {
    "stamp": r"Time \(EST\)", "location": "CP ?Node", "price": "RT Ex-Ante LMP",
    "energy": "(?:RT Ex-Ante )?MEC", "congestion": "(?:RT Ex-Ante )?MCC", "loss": "(?:RT Ex-Ante )?MLC",
}  # fmt: skip
_LISTS: Final = ("data", "rows")
_START: Final = (pl.col("local") + (BEHIND - FIVE)).dt.replace_time_zone("UTC").alias("start")
# EST lies whole hours behind UTC: five minutes of the one are five of the other.
_PROBLEM: Final = (
    pl.when(pl.col("start").is_null())
    .then(pl.lit("is no time such as 2026-10-02T16:50:00 (EST, without an offset)"))
    .when(pl.col("start").dt.epoch("us") % (FIVE // timedelta(microseconds=1)) != 0)
    .then(pl.lit("bounds no interval of 5 minutes"))
    .when(~within_bounds(pl.col("start")))
    .then(pl.lit(times.OUT_OF_BOUNDS))
)
_INTERVAL: Final = ("start", (pl.col("start") + FIVE).alias("end"), _PROBLEM.alias("problem"))


def feed(document: Document) -> ParsedDocument:
    """GetRealTimeFiveMinExPost: `headers` and lists of texts, or objects with these names as keys."""
    miso_reports.refuse_other(document.product, RTD)
    headers = jsontable.part(document.content, ("headers",))
    path = next((name for name in _LISTS if _is_there(document.content, name)), None)
    if not isinstance(headers, list):
        where = () if path is None else (path,)
        held = columns(jsontable.keys(document.content, where), FEED, document.name)
        table = jsontable.objects(document.content, where, list(held.values()))
    else:
        names = [miso_rows.plain(name).strip() for name in headers]
        held = columns(names, FEED, document.name)
        table = jsontable.arrays(document.content, (path or "data",), names, list(held.values()))
    return parsed(table, held, document, (RTD, PRELIMINARY))


def _is_there(content: bytes, name: str) -> bool:
    """The document is an object with that key."""
    return re.match(rb"\s*\{", content.removeprefix(b"\xef\xbb\xbf")) is not None and f'"{name}"'.encode() in content


def feed_csv(document: Document) -> ParsedDocument:
    """The public feed as CSV."""
    return _csv(document, miso_reports.FEED_HEADER, FEED, (RTD, PRELIMINARY))


def week(document: Document) -> ParsedDocument:
    """The weekly file of final prices: some lines above its table, some below."""
    return _csv(document, miso_reports.WEEK_HEADER, WEEK, (RTD, FINAL))


def book(document: Document) -> ParsedDocument:
    """The sheet of the daily ex-ante workbook, as `workbook` writes it: lines above its table, a sentence below."""
    return _csv(document, miso_reports.BOOK_HEADER, BOOK, (EXANTE, 0))


def _csv(
    document: Document, header: "re.Pattern[bytes]", names: Mapping[str, str], what: tuple[str, int]
) -> ParsedDocument:
    miso_reports.refuse_other(document.product, what[0])
    data, begin = miso_rows.starts_at(document.content, header)
    source = miso_rows.table(data, begin)
    held = columns(source.names, names, document.name)
    return parsed(csvtable.table(source, list(held.values())), held, document, what, source.header_line)


def columns(names: Sequence[str], shapes: Mapping[str, str], document: str) -> dict[str, str]:
    """The document's name of each role. Raises `DataProcessingError` where one is absent or stands twice."""
    found = {role: [name for name in names if re.fullmatch(shape, name, re.I)] for role, shape in shapes.items()}
    wrong = [role for role, held in found.items() if len(held) != 1]
    if wrong:
        reason = f"this is no list of MISO's prices: one column is expected for each of {', '.join(wrong)}"
        raise refusal(reason, "header", ",".join(names) or document)
    return {role: held[0] for role, held in found.items()}


def parsed(
    table: Table, held: Mapping[str, str], document: Document, what: tuple[str, int], header_line: int = 0
) -> ParsedDocument:
    """Every row as a tick of (product, version) or a refusal, but where its price is missing."""
    if not (table.cells.height or table.broken.height):
        raise refusal("the document holds no price", "document", document.name)
    cells = table.cells.rename({name: role for role, name in held.items()})
    placed = cells.hstack(spread(cells.select("stamp"), _intervals))
    product, version = what
    rows = placed.with_columns(product=pl.lit(product), version=pl.lit(version, dtype=pl.Int64))
    ticks, refused = miso_rows.ticks(rows, held)
    return ParsedDocument(ticks, refusals(table.broken, refused), table.rows, header_line)


def _intervals(cells: pl.DataFrame) -> pl.DataFrame:
    """`start, end, problem` of each stamp."""
    return stamps.each(cells["stamp"]).to_frame("local").select(_START).select(_INTERVAL)
