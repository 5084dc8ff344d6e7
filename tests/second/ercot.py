"""ERCOT: settlement point prices and SCED runs in Central prevailing time; a flag marks the hour that comes again."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from tests.second.common import HOUR, MINUTE, Row, number, price_row, stamp, utc

CENTRAL = ZoneInfo("America/Chicago")
QUARTER = 15 * MINUTE
DATES = ("%m/%d/%Y", "%Y-%m-%d")
RUNS = ("%m/%d/%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
FLAGS = ("dstflag", "repeatedhourflag", "repeathourflag")
POINTS = ("settlementpoint", "settlementpointname")
ENERGY_WEIGHTED = ("LZEW", "LZ_DCEW")  # stand beside the zone of the same name, at another price

Cells = Mapping[str, str]  # of a row, by the column's name without case and blanks


def report(path: Path, product: str) -> Iterator[Row]:
    """A report as CSV, as the archive or the API has it."""
    header, *rows = csv.reader(path.read_text().splitlines())
    return _rows(header, rows, product)


def answer(path: Path, product: str) -> Iterator[Row]:
    """An answer of the public API: the fields name the places of the rows' cells."""
    found = json.loads(path.read_text(), parse_float=Decimal)
    return _rows([field["name"] for field in found["fields"]], found["data"], product)


def workbook(path: Path, product: str) -> Iterator[Row]:
    """A year's workbook, a sheet a month."""
    for sheet in openpyxl.load_workbook(path, read_only=True).worksheets:
        header, *rows = sheet.iter_rows(values_only=True)
        yield from _rows([str(name) for name in header], rows, product)


def _rows(header: Sequence[str], rows: Sequence[Sequence[Any]], product: str) -> Iterator[Row]:
    names = [name.replace(" ", "").lower() for name in header]
    for row in rows:
        yield from _row(dict(zip(names, map(_text, row), strict=True)), product)


def _text(cell: Any) -> str:
    """A number of a workbook is a binary one: it has the 15 digits that a spreadsheet shows."""
    return format(cell, ".15g") if isinstance(cell, float) else "" if cell is None else str(cell)


def _row(cells: Cells, product: str) -> Iterator[Row]:
    kind = cells.get("settlementpointtype")
    name = _first(cells, POINTS)
    price = number(cells["lmp" if product == "rt_sced" else "settlementpointprice"])
    length = {"da_hourly": HOUR, "rt_15min": QUARTER, "rt_sced": None}[product]
    if price is not None:
        row = price_row(("ercot", product, name), _start(cells, product), length, price, location_type=kind)
        yield {**row, "instrument": f"{row['instrument']}@{kind}"} if kind in ENERGY_WEIGHTED else row


def _start(cells: Cells, product: str) -> datetime:
    """The flag marks the second pass of a repeated hour."""
    local = stamp(cells["scedtimestamp"], *RUNS) if product == "rt_sced" else _delivery(cells)
    return utc(local, CENTRAL, second=_first(cells, FLAGS).lower() in ("y", "true"))


def _delivery(cells: Cells) -> datetime:
    """The beginning of the hour, or of its quarter; hours are named by their end."""
    day = stamp(cells["deliverydate"], *DATES)
    if "hourending" in cells:
        return day + (int(cells["hourending"].removesuffix(":00")) - 1) * HOUR
    return day + (int(cells["deliveryhour"]) - 1) * HOUR + (int(cells["deliveryinterval"]) - 1) * QUARTER


def _first(cells: Cells, names: Sequence[str]) -> str:
    (found,) = [cells[name] for name in names if name in cells]
    return found
