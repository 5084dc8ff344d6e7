"""ERCOT: settlement point prices (day-ahead hours, real-time quarters) and the LMPs of SCED runs.

The archive's CSV files, the public API's answers (JSON), API rows saved as CSV, and the sheets of the yearly workbooks
hold the same columns under other names. ERCOT publishes no parts of a price: they stay null.
"""

from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import csvtable, documents, jsontable, numbers, products, rejects
from pipeline.csvtable import Table
from pipeline.documents import PARSED, REFUSED_ROWS, Document, ParsedDocument, refusal
from pipeline.markets import ercot_reports, ercot_times
from pipeline.markets.ercot_reports import Report
from pipeline.rejects import Verdict
from pipeline.schema import conform

_NAME: Final = (rejects.NAME, "is no name of a settlement point (1 to 150 printable characters)")
_TYPE: Final = (r"^[A-Z_]{0,20}$", "is no type of a settlement point")
_SECOND_POINT: Final = "EW$"  # LZEW and LZ_DCEW: a load zone's name stands for two points with prices of their own


def claims(name: str, head: bytes) -> bool:
    """Any report of ERCOT with its usual columns, prices or not."""
    del name  # the archive's file names are often changed on the way: the content decides
    return ercot_reports.is_ours(head)


def detect(name: str, head: bytes) -> str | None:
    """The product of a report of settlement points, by its columns."""
    del name
    return ercot_reports.guessed(head)


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
    cells = cells.with_columns(pl.col("point").fill_null("").str.strip_chars())
    if "type" in report.columns:
        cells = cells.with_columns(pl.col("type").fill_null("").str.strip_chars().str.to_uppercase())
    ticks, refused = _ticks(cells.hstack(ercot_times.places(cells, report)), report)
    return ParsedDocument(ticks, pl.concat([table.broken, refused]).sort("row"), table.rows, header_line)


def _read(document: Document) -> tuple[Table, int, Report]:
    """The columns of the report, and the line after which its rows stand (0: an answer's are counted)."""
    if not jsontable.is_json(document.content[:1024]):
        source = csvtable.lines(document.content)
        report = ercot_reports.report(source.names, document.product)
        return csvtable.table(source, list(report.columns.values())), source.header_line, report
    names = ercot_reports.json_names(document.content)
    report = ercot_reports.report(names, document.product)
    wanted = list(report.columns.values())
    return jsontable.arrays(document.content, ["data"], names, wanted), 0, report


def _ticks(rows: pl.DataFrame, report: Report) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(PARSED, REFUSED_ROWS) of rows with their places."""
    price, problem = numbers.decimals(rows["price"])
    unread = problem.set(numbers.missing(rows["price"]), None) if price.null_count() else problem
    verdicts = [
        *(Verdict(report.columns[role], rows[role], rows[f"{role} problem"]) for role in ercot_times.told(report)),
        Verdict(report.columns["point"], rows["point"], rejects.unless(rows["point"], *_NAME)),
        *_type_verdict(rows, report),
        Verdict(report.columns["price"], rows["price"], unread),
    ]
    refused = rejects.first_of_each(rows.select("row"), verdicts).select(list(REFUSED_ROWS))
    there = price.is_not_null() & ~rows["row"].is_in(refused["row"].implode())
    return _shaped(rows.with_columns(price=price).filter(there), report), refused


def _type_verdict(rows: pl.DataFrame, report: Report) -> list[Verdict]:
    if "type" not in report.columns:
        return []
    return [Verdict(report.columns["type"], rows["type"], rejects.unless(rows["type"], *_TYPE))]


def _shaped(ticks: pl.DataFrame, report: Report) -> pl.DataFrame:
    kind = pl.col("type").replace("", None) if "type" in report.columns else pl.lit(None, dtype=pl.String)
    second = kind.str.contains(_SECOND_POINT).fill_null(value=False)
    shown = pl.when(second).then(pl.format("{}@{}", "point", kind)).otherwise("point")
    shaped = ticks.select(
        *("start", "price", "row"),
        market=pl.lit("ercot"),
        product=pl.lit(report.product),
        location=pl.col("point"),
        location_type=kind,
        instrument=pl.format("ercot.{}.{}", pl.lit(report.product), shown),
        ts=pl.col("start"),
        end=pl.col("start") + report.length if report.length else pl.lit(None),
        hold_end=pl.col("start") + (report.length or _hold(report.product)),
        version=pl.lit(0, dtype=pl.Int64),
    )
    return conform(documents.published(shaped), PARSED)


def _hold(product: str) -> timedelta:
    return products.product("ercot", product).max_hold or timedelta(0)
