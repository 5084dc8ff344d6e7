"""CAISO OASIS: a row a component, as CSV (also in a ZIP) or XML, the instants in UTC."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.second.common import Row, number, one_of, price_row

# Of either form: XML_DATA_ITEM in CSV, DATA_ITEM in XML.
PARTS = {
    "LMP_PRC": "price",
    "LMP_ENE_PRC": "energy",
    "LMP_CONG_PRC": "congestion",
    "LMP_LOSS_PRC": "loss",
    "LMP_GHG_PRC": "ghg",
}
PRICE_COLUMNS = ("MW", "PRC", "VALUE")  # each report calls it otherwise
XML = "{http://www.caiso.com/soa/OASISReport_v1.xsd}"

Part = tuple[str, str, str, str, str]  # node, start, end, item, value


def report(path: Path, product: str) -> Iterator[Row]:
    """A report as CSV."""
    return _prices(_parts(path.read_text()), product)


def archive(path: Path, product: str) -> Iterator[Row]:
    """An answer of OASIS as it is fetched: a ZIP of one report."""
    with zipfile.ZipFile(path) as answer:
        (member,) = answer.namelist()
        return _prices(_parts(answer.read(member).decode()), product)


def markup(path: Path, product: str) -> Iterator[Row]:
    """A report as XML."""
    data = ET.fromstring(path.read_bytes()).iter(f"{XML}REPORT_DATA")
    names = ("RESOURCE_NAME", "INTERVAL_START_GMT", "INTERVAL_END_GMT", "DATA_ITEM", "VALUE")
    cells = ([item.findtext(f"{XML}{name}") or "" for name in names] for item in data)
    return _prices(((node, start, end, kind, value) for node, start, end, kind, value in cells), product)


def _parts(text: str) -> Iterator[Part]:
    for row in csv.DictReader(io.StringIO(text)):
        value = row[one_of(PRICE_COLUMNS, row)]
        yield row["NODE"], row["INTERVALSTARTTIME_GMT"], row["INTERVALENDTIME_GMT"], row["XML_DATA_ITEM"], value


def _prices(parts: Iterable[Part], product: str) -> Iterator[Row]:
    """The components of a node and interval, wherever they stand, as one row."""
    found: dict[tuple[str, str, str], dict[str, Decimal | None]] = {}
    for node, start, end, item, value in parts:
        values = found.setdefault((node, start, end), {})
        assert values.setdefault(PARTS[item], number(value)) == number(value), f"two values of {item} of {node} {start}"
    for (node, start, end), values in found.items():
        price = values.pop("price")
        if price is not None:
            begin = datetime.fromisoformat(start)
            yield price_row(("caiso", product, node), begin, datetime.fromisoformat(end) - begin, price, **values)
