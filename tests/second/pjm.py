"""PJM Data Miner: the LMP feeds as exported (CSV) and as the API answers (JSON), by their column of UTC."""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from decimal import Decimal
from pathlib import Path

from tests.second.common import HOUR, MINUTE, Row, number, price_row, stamp

FORMS = ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S")
LENGTHS = {"da_hourly": HOUR, "rt_hourly": HOUR, "rt_5min": 5 * MINUTE}
PARTS = {"energy": "system_energy_price", "congestion": "congestion_price", "loss": "marginal_loss_price"}


def export(path: Path, product: str) -> Iterator[Row]:
    """A CSV export."""
    for cells in csv.DictReader(path.read_text().splitlines()):
        yield from _row(cells, product)


def answer(path: Path, product: str) -> Iterator[Row]:
    """An answer of the API; null stays null, numbers keep their digits."""
    for item in json.loads(path.read_text(), parse_float=Decimal)["items"]:
        yield from _row({name: "" if cell is None else str(cell) for name, cell in item.items()}, product)


def _row(cells: Mapping[str, str], product: str) -> Iterator[Row]:
    """A superseded row is a price too: its version says that a later one is there."""
    ending = "da" if product == "da_hourly" else "rt"
    price = number(cells[f"total_lmp_{ending}"])
    if price is None:
        return
    start = stamp(cells["datetime_beginning_utc"], *FORMS).replace(tzinfo=UTC)
    parts = {part: number(cells[f"{column}_{ending}"]) for part, column in PARTS.items()}
    place, version = ("pjm", product, cells["pnode_id"]), int(cells["version_nbr"])
    yield price_row(place, start, LENGTHS[product], price, location_type=cells["type"], version=version, **parts)
