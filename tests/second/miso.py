"""MISO: daily tables of hours in Eastern Standard Time all year, and the public table of the latest interval."""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

from tests.second.common import HOUR, MINUTE, Row, minus, number, price_row, stamp, total

EST = timezone(timedelta(hours=-5))
FINAL = 1  # the version of final real-time prices; preliminary ones have 0

Cells = Mapping[str, Decimal | None]  # LMP, MCC and MLC of a node and an interval


def daily(path: Path, product: str) -> Iterator[Row]:
    """The hours of `Node,Type,Value,HE 1..HE 24`: three lines a node, wherever they stand."""
    lines = list(csv.reader(path.read_text().splitlines()))
    day = stamp(lines[1][0], "%m/%d/%Y").replace(tzinfo=EST)
    at = next(number for number, line in enumerate(lines) if line[:3] == ["Node", "Type", "Value"])
    version = FINAL if path.stem.endswith("rt_lmp_final") else 0
    for (node, kind), values in _nodes(lines[at + 1 :]).items():
        for hour in range(24):
            cells = {name: number(row[hour]) for name, row in values.items()}
            yield from _row(product, node, day + hour * HOUR, HOUR, cells, location_type=kind, version=version)


def _nodes(lines: list[list[str]]) -> dict[tuple[str, str], dict[str, list[str]]]:
    """The lines of a node and type by what they hold: LMP, MCC, MLC."""
    nodes: dict[tuple[str, str], dict[str, list[str]]] = {}
    for node, kind, value, *hours in lines:
        values = nodes.setdefault((node, kind), {})
        assert value not in values, f"{node} has two lines of {value}"
        values[value] = hours
    return nodes


def consolidated(path: Path, _: str) -> Iterator[Row]:
    """`GetLmpConsolidatedTable`: the 5-minute interval that its stamp ends, and the last whole hour before."""
    table = json.loads(path.read_text())["LMPData"]
    day, clock = table.pop("RefId").removesuffix(" EST").split(" - Interval ")
    now = stamp(f"{day} {clock}", "%d-%b-%Y %H:%M").replace(tzinfo=EST)
    five, hourly = table.pop("FiveMinLMP"), table.pop("HourlyIntegratedLMP")
    assert five["HourAndMin"] == clock
    assert not table, f"blocks that nothing is known of: {list(table)}"
    yield from _block(five, "rt_5min", now - 5 * MINUTE, 5 * MINUTE)
    yield from _block(hourly, "rt_hourly", _hour_before(now, hourly["HourAndMin"]), HOUR)


def _hour_before(now: datetime, label: str) -> datetime:
    """The start of the hour `HE n` that has ended by now: after midnight it is of the day before."""
    end = now.replace(hour=0, minute=0) + int(label.removeprefix("HE ")) * HOUR
    return (end if end <= now else end - 24 * HOUR) - HOUR


def _block(
    block: Mapping[str, list[dict[str, str]]], product: str, start: datetime, length: timedelta
) -> Iterator[Row]:
    for node in block["PricingNode"]:
        cells = {name: number(node[name]) for name in ("LMP", "MCC", "MLC")}
        yield from _row(product, node["name"], start, length, cells)


def _row(product: str, node: str, start: datetime, length: timedelta, cells: Cells, **others: object) -> Iterator[Row]:
    """The price; its energy is not published but what the other two leave of it."""
    price, congestion, loss = cells.get("LMP"), cells.get("MCC"), cells.get("MLC")
    if price is not None:
        energy = total(price, minus(congestion), minus(loss))
        parts = {"energy": energy, "congestion": congestion, "loss": loss}
        yield price_row(("miso", product, node), start.astimezone(UTC), length, price, **parts, **others)
