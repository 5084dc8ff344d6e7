"""OASIS reports as XML: a header a report item, a record a price component, in the columns of the CSV report."""

import re
from typing import Final

import polars as pl

from pipeline import xmltable
from pipeline.csvtable import Table
from pipeline.documents import refusal
from pipeline.markets.caiso_lmp import KIND, NODE

# The CSV's columns, and the fields of a record.
_FIELDS: Final = {
    "INTERVALSTARTTIME_GMT": "INTERVAL_START_GMT", "INTERVALENDTIME_GMT": "INTERVAL_END_GMT",
    NODE: "RESOURCE_NAME", KIND: "DATA_ITEM", "VALUE": "VALUE",
}  # fmt: skip
_RUN: Final = "MARKET_RUN_ID"
_KINDS: Final = {
    "LMP_PRC": "LMP", "LMP_ENE_PRC": "MCE", "LMP_CONG_PRC": "MCC", "LMP_LOSS_PRC": "MCL", "LMP_GHG_PRC": "MGHG",
}  # fmt: skip
_RUN_OF: Final = re.compile(rb"MKT_TYPE>\s*(\w{1,10})\s*<")


def is_report(head: bytes) -> bool:
    """The bytes begin as an XML report of OASIS."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") and b"OASISReport" in head


def run_of(head: bytes) -> str:
    """The market run that the first header names; empty where none does."""
    found = _RUN_OF.search(head)
    return found[1].decode() if found else ""


def table(content: bytes) -> Table:
    """The records of all report items, in order, with the market run of their header.

    Raises `DataProcessingError` for what cannot be read, and for a report of other things than LMP.
    """
    items = list(xmltable.named(xmltable.root(content), "REPORT_ITEM"))
    parts, before = list[Table](), 0
    for item in items:
        read = xmltable.records(item, "REPORT_DATA", list(_FIELDS.values()))
        run = xmltable.text(item, "MKT_TYPE") or ""
        parts.append(Table(_named(read.cells, run, before), _moved(read.broken, before), read.rows))
        before += read.rows
    if not parts:
        raise refusal("the report holds no REPORT_ITEM", "document")
    cells = pl.concat([part.cells for part in parts]).rechunk()
    if cells.height and not cells[KIND].is_in(list(_KINDS.values())).any():
        found = ", ".join(cells[KIND].unique().sort().head(5))
        raise refusal(f"this is no LMP report of OASIS: its records are of {found}", "DATA_ITEM", found)
    return Table(cells, pl.concat([part.broken for part in parts]), before)


def _named(cells: pl.DataFrame, run: str, before: int) -> pl.DataFrame:
    columns = cells.rename({field: name for name, field in _FIELDS.items()})
    return _moved(columns, before).with_columns(
        pl.col(KIND).str.strip_chars().replace(_KINDS), pl.col(NODE).str.strip_chars(), pl.lit(run).alias(_RUN)
    )


def _moved(rows: pl.DataFrame, before: int) -> pl.DataFrame:
    return rows.with_columns(pl.col("row") + before)
