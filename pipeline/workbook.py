"""XLSX workbooks as CSV, a document a sheet: every cell as a spreadsheet shows it, numbers to 15 significant digits.

A spreadsheet keeps numbers as doubles: what was typed as 23.42 may lie in the file as 23.420000000000002. Excel shows
15 digits of it, which give back every amount that an exchange writes; of them at most nine are decimals here, as many
as a price may have. Dates are ISO text, times `01:00:00`, an error such as #N/A is an empty cell. Lines stay those of
the sheet.
"""

import re
from decimal import Context, Decimal
from typing import Final

import fastexcel
import polars as pl

from pipeline.errors import DataProcessingError
from pipeline.rejects import REASON, SHOWN

PART: Final = "xl/workbook.xml"  # of the ZIP that a workbook is
BINARY: Final = "xl/workbook.bin"  # of an .xlsb
OLD: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # begins a compound file, which an .xls or an encrypted workbook is
MOST_SHEETS: Final = 100
_PANIC: Final = "PanicException"  # of the reader, over what it did not expect; its class cannot be imported
_DIGITS: Final = Context(prec=15)
_SHORT: Final = 15  # characters: a number of so many has no digit beyond the fifteenth
_NUMBER: Final = r"^-?[0-9]+\.?[0-9]*$"
_TIME: Final = r"^1899-12-31 ([0-9:.]+)$"  # the day of a time without one
_EMPTY: Final = re.compile(rb"(?m)^,+$")


def documents(content: bytes, name: str) -> list[tuple[str, bytes]]:
    """(name, CSV) of every sheet that holds something.

    Its parts must have passed `workbook_bounds`. Raises `DataProcessingError` for what cannot be read, and where all
    sheets are empty.
    """
    if content.startswith(OLD):
        raise _refused("this is an old workbook (.xls) or an encrypted one: save it as .xlsx or CSV", name)
    found = [(f"{name}, sheet {sheet}", _csv(cells)) for sheet, cells in _sheets(content, name) if cells.height]
    if not found:
        raise _refused("the workbook is empty", name)
    return found


def _sheets(content: bytes, name: str) -> list[tuple[str, pl.DataFrame]]:
    try:
        book = fastexcel.read_excel(content)
        if len(book.sheet_names) > MOST_SHEETS:
            raise _refused(f"the workbook has {len(book.sheet_names)} sheets, at most {MOST_SHEETS} are read", name)
        return [(sheet, _cells(book, sheet)) for sheet in book.sheet_names]
    except fastexcel.FastExcelError as error:
        raise _refused(f"the workbook cannot be read: {' '.join(str(error).split())}", name) from None
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise _refused(f"the workbook cannot be read: {error}", name) from None


def _cells(book: fastexcel.ExcelReader, sheet: str) -> pl.DataFrame:
    found = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string").to_polars()
    return found.with_columns(_as_shown(column.cast(pl.String)) for column in found)


def _as_shown(cells: pl.Series) -> pl.Series:
    """Longer numbers rounded to 15 significant digits; only distinct ones are looked at."""
    long = cells.str.len_bytes() > _SHORT
    if not long.any():
        return cells
    numbers = cells.filter(long & cells.str.contains(_NUMBER)).unique().drop_nulls()
    shown = [format(_DIGITS.create_decimal(Decimal(number)).normalize(), "f") for number in numbers]
    return cells.replace(numbers, pl.Series(shown, dtype=pl.String)).str.replace(_TIME, "${1}")


def _csv(cells: pl.DataFrame) -> bytes:
    """A row without a cell is a blank line. Line ends inside cells become blanks, for a row is one line."""
    flat = cells.with_columns(pl.all().str.replace_all(r"[\r\n]+", " "))
    return _EMPTY.sub(b"", flat.write_csv(include_header=False).encode())


def _refused(reason: str, name: str) -> DataProcessingError:
    return DataProcessingError(reason[:REASON], "normalize", {"field": "document", "value": name[:SHOWN]})
