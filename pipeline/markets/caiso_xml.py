"""OASIS reports as XML: a header a report item, a record a price component, in the columns of the CSV report.

A report may hold one item with all its records (PRC_LMP) or an item for each record (PRC_CURR_LMP, the current
5-minute run). The header tells report and market run; where it has no MKT_TYPE, the report tells the run.
"""

from typing import Final

import polars as pl

from pipeline import xmltable
from pipeline.csvtable import Table
from pipeline.documents import REFUSED_ROWS, refusal
from pipeline.markets.caiso_lmp import KIND, NODE
from pipeline.markets.caiso_rows import END, RUN, START
from pipeline.rejects import SHOWN
from pipeline.xmltable import Shape

# Market run of each report with prices of nodes. PRC_SPTIE_LMP has prices of pairs of node and tie, PRC_CD_INTVL_LMP
# those of contingency dispatch, PRC_MPM_* those of mitigation, PRC_RTM_LAP hourly means: their records look the same.
REPORTS: Final = {
    "PRC_LMP": "DAM", "PRC_HASP_LMP": "HASP", "PRC_RTPD_LMP": "RTPD", "PRC_INTVL_LMP": "RTM", "PRC_CURR_LMP": "RTM",
}  # fmt: skip
PRICE: Final = "VALUE"

# The CSV's columns, and what XML calls them.
NAMES: Final = {
    START: "INTERVAL_START_GMT", END: "INTERVAL_END_GMT", NODE: "RESOURCE_NAME",
    RUN: "MKT_TYPE", KIND: "DATA_ITEM", PRICE: PRICE,
}  # fmt: skip
_REPORT: Final = "REPORT"
_SHAPE: Final = Shape(
    "REPORT_ITEM", (_REPORT, NAMES[RUN]), "REPORT_DATA", [field for name, field in NAMES.items() if name != RUN]
)
_KINDS: Final = {
    "LMP_PRC": "LMP", "LMP_ENE_PRC": "MCE", "LMP_CONG_PRC": "MCC", "LMP_LOSS_PRC": "MCL", "LMP_GHG_PRC": "MGHG",
}  # fmt: skip
_WHITE: Final = " \t\r\n"


def is_report(head: bytes) -> bool:
    """The bytes begin as an XML report of OASIS."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") and b"OASISReport" in head


def table(content: bytes) -> Table:
    """The records of all report items, in order, with the market run of their header.

    Raises `DataProcessingError` for what cannot be read, and for a document of other reports than LMP.
    """
    read = xmltable.records(xmltable.root(content, "OASISReport"), _SHAPE)
    cells = read.cells.with_columns(pl.exclude("row").str.strip_chars(_WHITE))
    other = cells.filter(~pl.col(_REPORT).is_in(list(REPORTS)))
    if other.height and other.height == cells.height:
        reports = ", ".join(other[_REPORT].unique().sort().head(5))
        reason = f"this is no LMP report of OASIS ({', '.join(REPORTS)}): it is of {reports}"
        raise refusal(reason, _REPORT, reports)
    _refuse_other_items(cells["DATA_ITEM"])
    kept = cells.join(other, on="row", how="anti") if other.height else cells
    return Table(_named(kept), pl.concat([read.broken, _of_other_reports(other)]).sort("row"), read.rows)


def _refuse_other_items(items: pl.Series) -> None:
    if items.len() and not items.is_in(list(_KINDS)).any():
        found = ", ".join(items.unique().sort().head(5))
        reason = f"this is no LMP report of OASIS: its records are of {found}, none of {', '.join(_KINDS)}"
        raise refusal(reason, "DATA_ITEM", found)


def _of_other_reports(records: pl.DataFrame) -> pl.DataFrame:
    columns = (
        pl.lit(_REPORT).alias("field"),
        pl.col(_REPORT).str.slice(0, SHOWN).alias("value"),
        pl.format("REPORT '{}' is no LMP report of OASIS", pl.col(_REPORT).str.slice(0, SHOWN)).alias("reason"),
    )
    return records.select("row", *columns).select(list(REFUSED_ROWS))


def _named(cells: pl.DataFrame) -> pl.DataFrame:
    """In the columns of the CSV."""
    run = pl.coalesce(NAMES[RUN], pl.col(_REPORT).replace_strict(REPORTS, default=None)).fill_null("")
    return cells.select(
        *(pl.col(field).alias(name) for name, field in NAMES.items() if name not in {KIND, RUN}),
        pl.col("DATA_ITEM").replace(_KINDS).alias(KIND),
        run.alias(RUN),
        "row",
    )
