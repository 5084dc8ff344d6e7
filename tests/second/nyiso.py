"""NYISO: daily files in Eastern prevailing time, whose order alone tells the hour that comes again, and an export."""

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.second.common import HOUR, MINUTE, Row, lines, minus, number, price_row, stamp, total, twice, utc

QUARTER = 15 * MINUTE
EASTERN = ZoneInfo("America/New_York")
FORMS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M")
LBMP, LOSSES, CONGESTION = "LBMP", "Marginal Cost Losses", "Marginal Cost Congestion"  # the unit after them varies
ZONES = "61"  # zones and the neighbours' proxies have these PTIDs, generators others


def hourly(path: Path, product: str) -> Iterator[Row]:
    """A daily file of hours, stamped with their beginning."""
    for cells, instant in _stamped(path):
        yield from _row(cells, product, instant, instant + HOUR)


def five_minutes(path: Path, product: str) -> Iterator[Row]:
    """A daily file of 5-minute prices, stamped with their END: an interval begins where the last one before it ended,
    at most five minutes before. The file of a day that goes on ends in quarters that look ahead."""
    rows = list(_stamped(path))
    ends = sorted({instant for _, instant in rows})
    begins = {end: max(before, end - 5 * MINUTE) for before, end in pairwise(ends)}
    ahead = set(_ahead(ends))
    for cells, end in rows:
        if end in ahead:
            yield from _row(cells, "rtc_15min", end - QUARTER, end)
            continue
        for row in _row(cells, product, begins.get(end, end - 5 * MINUTE), end):
            yield {**row, "ts": end}


def _ahead(ends: Sequence[datetime]) -> Iterator[datetime]:
    """The last ends of a file, as far as each follows the one before by a quarter of an hour."""
    for before, end in reversed(list(pairwise(ends))):
        if end - before != QUARTER:
            return
        yield end


def export(path: Path, product: str) -> Iterator[Row]:
    """The day-ahead export of the decision support system: it names the zone's time, and versions its prices."""
    for row in csv.DictReader(path.read_text().splitlines()):
        cells = {LBMP: row["DAM Zonal LBMP"], LOSSES: row["DAM Zonal Losses"], CONGESTION: row["DAM Zonal Congestion"]}
        cells |= {"Name": row["Zone Name"], "PTID": row["Zone PTID"]}
        local = stamp(row["Eastern Date Hour"], "%m/%d/%y %H:%M")
        start = utc(local, EASTERN, second=twice(local, EASTERN) and row["Eastern Date Hour Time Zone"] == "EST")
        for each in _row(cells, product, start, start + HOUR):
            yield {**each, "version": int(row["DAM Zonal Price Version"])}


def _stamped(path: Path) -> Iterator[tuple[dict[str, str], datetime]]:
    """The rows with their instants. From a name's first step back on, times that come twice are the second ones."""
    latest, again = dict[str, datetime](), set[str]()
    for cells in lines(path.read_text(), "Time Stamp"):
        local, name = stamp(cells["Time Stamp"], *FORMS), cells["Name"]
        if local <= latest.get(name, local - HOUR):
            again.add(name)
        latest[name] = local
        instant = utc(local, EASTERN, second=name in again and twice(local, EASTERN))
        yield {column.split(" ($")[0]: cell for column, cell in cells.items()}, instant


def _row(cells: dict[str, str], product: str, start: datetime, end: datetime) -> Iterator[Row]:
    """Congestion is published with the other sign; what it and the losses leave of the price is its energy."""
    price, loss, congestion = number(cells[LBMP]), number(cells[LOSSES]), minus(number(cells[CONGESTION]))
    if price is not None:
        parts = {"energy": total(price, minus(loss), minus(congestion)), "congestion": congestion, "loss": loss}
        kind = "zone" if cells["PTID"].startswith(ZONES) else "generator"
        yield price_row(("nyiso", product, cells["Name"]), start, end - start, price, location_type=kind, **parts)
