"""ERCOT: settlement point prices (day-ahead hours, real-time quarters) and the LMPs of SCED runs.

The archive's CSV files, the public API's answers (JSON), API rows saved as CSV, and the sheets of the yearly workbooks
hold the same columns under other names; corrections (NP4-196, NP4-197) are prices of the product that they correct.
"""

import polars as pl

from pipeline import csvtable, documents, jsontable
from pipeline.csvtable import Table
from pipeline.documents import Document, ParsedDocument, refusal
from pipeline.markets import ercot_reports, ercot_rows
from pipeline.markets.ercot_reports import SCED, Report


def claims(name: str, head: bytes) -> bool:
    """Any report of ERCOT with its usual columns, prices or not."""
    del name  # the archive's file names are often changed on the way: the content decides
    return ercot_reports.is_ours(head)


def parse(document: Document) -> ParsedDocument:
    """Every row as a tick or a refusal, but where its price is missing: a gap is neither.

    Equal rows, which the pages of the API repeat, are one publication. Raises `DataProcessingError` for a report that
    holds no prices of settlement points, or of another product.
    """
    documents.refuse_markup(document.content, "ERCOT")
    table, header_line, report = _read(document)
    if not table.rows or not (table.cells.height or table.broken.height):
        raise refusal("the report holds no data row", "document", document.name)
    cells = table.cells.rename({name: role for role, name in report.columns.items()})
    cut_off = _cut_off(document.content, cells["price"], report)
    ticks, refused = ercot_rows.ticks(cells, report, cut_off=cut_off)
    return ParsedDocument(ticks, documents.refusals(table.broken, refused), table.rows, header_line)


def _read(document: Document) -> tuple[Table, int, Report]:
    """The columns of the report, and the line after which its rows stand (0: an answer's are counted)."""
    if not jsontable.is_json(document.content[:1024]):
        source = csvtable.lines(document.content)
        report = ercot_reports.report(source.names, document.product)
        return csvtable.table(source, list(report.columns.values())), source.header_line, report
    path, names, positional = ercot_reports.json_names(document.content)
    report = ercot_reports.report(names, document.product)
    wanted = list(report.columns.values())
    if positional:
        return jsontable.arrays(document.content, path, names, wanted), 0, report
    return jsontable.objects(document.content, path, wanted), 0, report


def _cut_off(content: bytes, prices: pl.Series, report: Report) -> bool:
    """The last price lacks digits: in the archive's files of SCED it ends the line, and all are padded to one width."""
    if report.product != SCED or content.endswith(b"\n"):
        return False
    *others, last = prices.fill_null("").str.len_bytes().to_list() or [0]
    return len(set(others)) == 1 and last < others[0] and prices.str.starts_with(" ").any()
