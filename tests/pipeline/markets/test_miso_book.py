"""MISO's daily workbook of ex-ante prices, as XLSX and saved as CSV."""

import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from pipeline import workbook
from pipeline.documents import ParsedDocument
from pipeline.errors import DataProcessingError
from pipeline.markets import miso
from tests.pipeline.markets.miso_files import est, parse, prices, problems

D = Decimal
TITLE = "Real-Time Ex-Ante 5 Minute LMP Report"
NAMES = ("Time (EST)", "CP Node", "RT Ex-Ante LMP", "RT Ex-Ante MEC", "RT Ex-Ante MLC", "RT Ex-Ante MCC")
SHORT = ("Time (EST)", "CP Node", "RT Ex-Ante LMP", "MEC", "MLC", "MCC")
FOOTER = "Ex-ante prices are no settlement prices."
ROWS = (
    ("2026-07-14 12:05:00 AM", "A.B", 34.25, 35, -1.5, 0.75),
    ("2026-07-14 11:55:00 PM", "A.B", 1, None, None, None),
    ("2026-07-15 12:00:00 AM", "A.B", None, 1, 1, 1),
    ("2026-07-15 12:00:00 AM", "C", 23.420000000000002, 35, -1.5, 0.75),
)
EXPECTED = [
    ("A.B", est("2026-07-14"), D("34.25"), D(35), D("0.75"), D("-1.5")),
    ("A.B", est("2026-07-14T23:50"), D(1), None, None, None),
    ("C", est("2026-07-14T23:55"), D("23.42"), D(35), D("0.75"), D("-1.5")),
]


def book(*sheets: Sequence[Sequence[Any]]) -> bytes:
    made = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = made.active if number == 0 else made.create_sheet()
        assert sheet is not None
        for row in rows:
            sheet.append(list(row))
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def sheet(*rows: Sequence[Any], names: Sequence[str] = NAMES) -> list[Sequence[Any]]:
    return [(TITLE,), ("07/14/2026",), (None, "note"), names, *rows, (FOOTER,)]


def parse_only(document: bytes, product: str | None = None) -> ParsedDocument:
    """What is read of the workbook's one sheet."""
    ((name, content),) = workbook.documents(document, "20260714_5min_exante_lmp.xlsx")
    assert miso.claims(name, content)
    return parse(content, name, product)


@pytest.mark.parametrize("names", [NAMES, SHORT])
def test_the_workbook_publishes_energy(names: Sequence[str]) -> None:
    read = parse_only(book(sheet(*ROWS, names=names)))
    assert (prices(read), problems(read), read.rows, read.header_line) == (EXPECTED, [], 4, 4)
    assert read.ticks.select("product", "version", "derived").unique().rows() == [("rt_exante_5min", 0, False)]


def test_times_may_be_dates_of_the_spreadsheet() -> None:
    read = parse_only(book(sheet((datetime(2026, 7, 14, 0, 5), *ROWS[0][1:]))))  # noqa: DTZ001
    assert (prices(read), problems(read)) == (EXPECTED[:1], [])


def test_the_workbook_saved_as_csv() -> None:
    rows = (",".join("" if cell is None else f"{cell}" for cell in row) for row in ROWS[:3])
    lines = (f"{TITLE},,,,,", "07/14/2026,,,,,", ",,,,,", ",".join(NAMES), *rows, f"{FOOTER},,,,,", "")
    read = parse("\n".join(lines).encode())
    assert (prices(read), problems(read), read.rows, read.header_line) == (EXPECTED[:2], [], 3, 4)


def test_rows_that_are_bad_refuse_themselves_alone() -> None:
    bad = (("x", *ROWS[0][1:]), ("2026-07-14 12:05:00 AM", None, 1, 1, 1, 1), (*ROWS[0][:2], "y", 1, 1, 1))
    read = parse_only(book(sheet(bad[0], ROWS[0], (None,), *bad[1:])))
    assert problems(read) == [(1, "Time (EST)", "x"), (4, "CP Node", ""), (5, "RT Ex-Ante LMP", "y")]
    assert (prices(read), read.ticks["row"].to_list()) == (EXPECTED[:1], [2])


@pytest.mark.parametrize(
    ("rows", "product", "said"),
    [
        (sheet(*ROWS), "rt_5min", "is of rt_exante_5min, not of rt_5min"),
        (sheet(), None, "holds no price"),
        (sheet(*ROWS, names=NAMES[:5]), None, "expected for each of congestion"),
    ],
)
def test_sheets_that_are_refused(rows: list[Sequence[Any]], product: str | None, said: str) -> None:
    with pytest.raises(DataProcessingError, match=said):
        parse_only(book(rows), product)


def test_the_workbook_of_ancillary_prices_is_refused() -> None:
    rows = [
        ("Real-Time Ex-Ante 5 Minute MCP Report",),
        (None,),
        ("Time (EST)", "Zone", "RT Ex-Ante MCP"),
        ("x", "1", 2),
    ]
    ((name, content),) = workbook.documents(book(rows), "20260714_5min_exante_mcp.xlsx")
    assert miso.claims(name, content)
    with pytest.raises(DataProcessingError, match="no prices of energy"):
        parse(content, name)
