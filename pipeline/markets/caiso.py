"""CAISO OASIS: the LMP reports of DAM, HASP, RTPD and RTM as CSV and as XML, also the current one (PRC_CURR_LMP, RTM).

Long rows, one price component each, become parts in `caiso_rows` and are joined to ticks by `caiso_lmp`. Instants come
from the GMT columns, which run on through the clock changes; the price column is called MW, PRC or VALUE and all three
are USD/MWh. Other reports have the same columns and are refused: prices of pairs of node and tie (PRC_SPTIE_LMP, known
by their column TIE), of contingency dispatch (PRC_CD_*) and of mitigation (PRC_MPM_*), known by the file's name.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from pipeline import csvtable, documents, rejects
from pipeline.csvtable import Table
from pipeline.documents import NO_TICKS, Document, ParsedDocument, Parts, refusal
from pipeline.markets import caiso_lmp, caiso_rows, caiso_xml
from pipeline.markets.caiso_lmp import KIND, NODE
from pipeline.markets.caiso_rows import END, RUN, RUNS, START

PRICE_COLUMNS: Final = ("MW", "PRC", "VALUE")
_AS_IT_IS: Final[Mapping[str, str]] = MappingProxyType({})

_HEAD: Final = 64 * 1024
_TIMES: Final = (START.encode(), b"INTERVAL_START_GMT")  # some reports, as PRC_RTM_LAP, have XML's names in CSV too
_REPORT: Final = b"OASISReport"
_ERROR: Final = re.compile(
    r"ERR_CODE>\s*(?P<code>[^<]{0,40}?)\s*<.*?(?:ERR_DESC>\s*(?P<text>[^<]{0,400}?)\s*<|$)", re.DOTALL
)
_TIE: Final = "TIE"
_OTHER_REPORT: Final = re.compile(r"PRC_(?:SPTIE|CD|MPM)_[A-Z_]*?LMP", re.IGNORECASE)


def claims(name: str, head: bytes) -> bool:
    """Any answer of OASIS: a CSV report with its time columns, an XML report, an error answer."""
    del name  # OASIS's file names are often changed on the way: the content decides
    return _REPORT in head or any(column in _first_line(head) for column in _TIMES)


def parse(document: Document) -> ParsedDocument:
    """The rows of an LMP report as parts, for a group report spreads its components over one file each.

    `row` is the line of the LMP row, counted after the header. An LMP that is blank, `NaN`, `N/A` or `-` says that
    there is no price: no tick, and no refusal either. Equal rows that follow each other for one node and interval
    are one publication, different ones are several. The records of an XML report are its rows. Raises
    `DataProcessingError` for an error answer, or a report that is not LMP.
    """
    _refuse_markup(document.content)
    if caiso_xml.is_report(document.content[:_HEAD]):
        return _parsed(document, caiso_xml.table(document.content), caiso_xml.PRICE, 0, caiso_xml.NAMES)
    source = csvtable.lines(document.content)
    _refuse_look_alike(document.name, source.names)
    price = _price_column(source.names)
    table = csvtable.table(source, [START, END, NODE, RUN, KIND, price])
    return _parsed(document, table, price, source.header_line, _AS_IT_IS)


def _parsed(document: Document, table: Table, price: str, header_line: int, names: Mapping[str, str]) -> ParsedDocument:
    if not table.rows or not (table.cells.height or table.broken.height):
        raise refusal("the report holds no data row", "document", document.name)
    documents.refuse_unknown(document.product, RUNS.values(), "CAISO")
    _refuse_other_runs(table.cells[RUN], document.product, names.get(RUN, RUN))
    parts, refused = caiso_rows.parts(table.cells, price, document.product, names)
    bad = documents.refusals(table.broken, refused)
    return ParsedDocument(NO_TICKS, bad, table.rows, header_line, Parts(parts, caiso_lmp.join))


def _first_line(head: bytes) -> bytes:
    return _text(head).partition(b"\n")[0]


def _text(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _refuse_markup(content: bytes) -> None:
    head = _text(content[:_HEAD])
    if not head.startswith(b"<"):
        return
    if _REPORT not in head:
        raise refusal("this is a web page or other markup, no OASIS document", "document", _shown(head))
    error = _ERROR.search(head.decode(errors="replace"))
    if error:
        answer = f"{error['code']}: {error['text'] or 'no description'}"
        raise refusal(f"OASIS answered with error {answer}", "ERR_CODE", error["code"])


def _shown(head: bytes) -> str:
    return head[: rejects.SHOWN].decode(errors="replace")


def _lacking(names: list[str]) -> list[str]:
    return [name for name in (START, END, NODE, RUN, KIND) if name not in names]


def _other(name: str, columns: list[str]) -> str | None:
    """What else the prices are of than the market's nodes."""
    if _TIE in columns:
        return "pairs of node and tie (PRC_SPTIE_LMP)"
    found = _OTHER_REPORT.search(name)
    return f"{found[0].upper()}, as the file's name says" if found else None


def _refuse_look_alike(name: str, columns: list[str]) -> None:
    lacking, other = _lacking(columns), _other(name, columns)
    if lacking:
        reason = f"this is no LMP report of OASIS: it has no column {', '.join(lacking)}"
        raise refusal(reason, "header", ",".join(columns))
    if other:
        raise refusal(f"this is no LMP report of OASIS: its prices are of {other}", "document", name)


def _price_column(names: list[str]) -> str:
    found = [name for name in PRICE_COLUMNS if name in names]
    if len(found) != 1:
        reason = f"one price column of {', '.join(PRICE_COLUMNS)} is expected, the header has {len(found)}"
        raise refusal(reason, "header", ",".join(names))
    return found[0]


def _refuse_other_runs(runs: pl.Series, product: str | None, field: str) -> None:
    """Rows of other market runs are refused one by one; a report without any row of a wanted run as a whole."""
    wanted = [run for run, name in RUNS.items() if product in (None, name)]
    found = runs.unique().sort().to_list()
    if found and not set(found) & set(wanted):
        shown = ", ".join(run[: rejects.SHOWN] for run in found[:5] if run) or f"none ({field} is blank)"
        reason = f"no row is of market run {', '.join(wanted)}: the report holds {shown}"
        raise refusal(reason, field, found[0])
