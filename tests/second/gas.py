"""Henry Hub: futures as a vendor's chain, as nearby strips and as a front month, and the daily spot."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.second.common import DAY, Row, number, price_row, stamp

FINEST = -9  # the exponent of the last decimal that a price may have


def chain(path: Path, product: str) -> Iterator[Row]:
    """A chain of contracts, each with the instant of its own last price."""
    for contract in _data(path):
        when = datetime.fromisoformat(contract["lastUpdate"])
        place = ("henry_hub", product, contract["cmeCode"])
        yield price_row(place, when, None, contract["price"], location_type="future")


def front(path: Path, product: str) -> Iterator[Row]:
    """The days of the front month: their close, where it can be held."""
    for day in _data(path):
        if _held(day["close"]):
            row = _day(product, "NG=F", day["date"], day["close"], "nearby")
            yield {**row, "volume": day["volume"]}


def too_fine(path: Path) -> list[int]:
    """The rows of `front`, counted from 1, whose close has more decimals than a price may have."""
    return [at for at, day in enumerate(_data(path), start=1) if not _held(day["close"])]


def strips(path: Path, product: str) -> Iterator[Row]:
    """A row a day, a column for each position from the front; an empty cell is no price."""
    for row in csv.DictReader(path.read_text().splitlines()):
        day = row.pop("date")
        yield from (
            _day(product, name, day, price, "nearby")
            for name, cell in row.items()
            if (price := number(cell)) is not None
        )


def spot(path: Path, product: str) -> Iterator[Row]:
    """The spot price of each day that has one."""
    for row in csv.DictReader(path.read_text().splitlines()):
        if (price := number(row["Price"])) is not None:
            yield _day(product, "HENRY_HUB", row["Date"], price, "hub")


def _data(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(), parse_float=Decimal, parse_int=Decimal)["data"]


def _day(product: str, location: str, day: str, price: Decimal, kind: str) -> Row:
    """The days are those of UTC."""
    start = stamp(day, "%Y-%m-%d").replace(tzinfo=UTC)
    return price_row(("henry_hub", product, location), start, DAY, price, location_type=kind)


def _held(price: Decimal) -> bool:
    exponent = price.normalize().as_tuple().exponent
    return isinstance(exponent, int) and exponent >= FINEST
