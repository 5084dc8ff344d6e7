"""Made-up documents in the forms of MISO, and what is read of them."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipeline.documents import Document, ParsedDocument
from pipeline.markets import miso

FIVE, HOUR = timedelta(minutes=5), timedelta(hours=1)
DA, DA_EXANTE, RT = "Day Ahead Market ExPost LMPs", "Day Ahead Market ExAnte LMPs", "Realtime Market LMPs"
PRELIM, FINAL = "20261001_rt_lmp_prelim.csv", "20261001_rt_lmp_final.csv"
NOTE = ",,,All Hours-Ending are Eastern Standard Time (EST)"
COLUMNS = [f"HE {hour}" for hour in range(1, 25)]
WEEK_HEADER = "MKTHOUR_EST,PNODENAME,LMP,CON_LMP,LOSS_LMP"
FEED_HEADERS = ("INTERVAL", "CPNODE", "LMP", "MLC", "MCC")

Price = tuple[str, datetime, Decimal, Decimal | None, Decimal | None, Decimal | None]


def est(text: str) -> datetime:
    """The instant of a time in EST."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(hours=5)


def parse(content: bytes, name: str = "x", product: str | None = None) -> ParsedDocument:
    return miso.parse(Document(content, name, "miso", product))


def row(node: str, part: str, *amounts: str, kind: str = "Hub") -> str:
    """One row of a daily file; the last amount stands in all hours that have none."""
    filled = [*amounts, *[amounts[-1]] * (len(COLUMNS) - len(amounts))]
    return ",".join((node, kind, part, *filled))


def node(name: str, lmp: str = "30.25", mcc: str = "-.5", mlc: str = "1", kind: str = "Hub") -> list[str]:
    """The three rows of a node, the same amounts in all hours."""
    return [row(name, part, amount, kind=kind) for part, amount in (("LMP", lmp), ("MCC", mcc), ("MLC", mlc))]


def day(
    *rows: str, title: str = DA, date: str = "07/14/2026", columns: Sequence[str] = COLUMNS, blank: bool = True
) -> bytes:
    lines = [title, date, *([""] if blank else []), NOTE, ",".join(("Node", "Type", "Value", *columns)), *rows]
    return ("\n".join(lines) + "\n").encode()


def week(*rows: str, header: str = WEEK_HEADER, after: str = "\n*END*\n") -> bytes:
    return "\n".join(("5-Min LMP", "07/20/2026", "", ",,EST", header, *rows, after)).encode()


def feed(*rows: Sequence[Any], headers: Sequence[str] = FEED_HEADERS) -> bytes:
    return json.dumps({"headers": list(headers), "data": [list(each) for each in rows]}).encode()


def priced(name: str = "INDIANA.HUB", lmp: Any = "34.04", mcc: Any = "0.48", mlc: Any = "-0.94") -> dict[str, Any]:
    """A node of the consolidated table, ancillary prices beside it."""
    return {"name": name, "region": "Midwest", "LMP": lmp, "MLC": mlc, "MCC": mcc, "REGMCP": "17.60", "SPINMCP": "0.70"}


def table(reference: str, **blocks: Any) -> bytes:
    """`blocks`: (HourAndMin, nodes), or whatever else may stand there."""
    held = {
        name: {"HourAndMin": block[0], "PricingNode": block[1]} if isinstance(block, tuple) else block
        for name, block in blocks.items()
    }
    return json.dumps({"LMPData": {"RefId": reference, **held}}).encode()


def answer(*elements: Mapping[str, Any]) -> bytes:
    page = {"pageNumber": 1, "pageSize": 1000, "totalElements": len(elements), "totalPages": 1, "lastPage": True}
    return json.dumps({"data": list(elements), "page": page}).encode()


def element(start: str, end: str, grade: str | None = None, **changed: Any) -> dict[str, Any]:
    """A price of the pricing API."""
    made: dict[str, Any] = {
        "timeInterval": {"resolution": "hourly", "start": start, "end": end, "value": "1"},
        "node": "ALTW.WELLS1", "lmp": 21.60, "mcc": 0.02, "mec": 20.94, "mlc": 0.64,
    }  # fmt: skip
    return {**made, **({"preliminaryFinal": grade} if grade else {}), **changed}


def prices(read: ParsedDocument) -> list[Price]:
    """Location, start, price, energy, congestion and loss of the ticks."""
    columns = ("location", "start", "price", "energy", "congestion", "loss")
    return read.ticks.select(columns).rows()


def problems(read: ParsedDocument) -> list[tuple[int, str, str]]:
    return read.rejects.select("row", "field", "value").rows()


def second_reading(data: bytes) -> list[tuple[int, str, str, *tuple[Any, ...]]]:
    """Row, node, type, start, price, energy, congestion, loss of a daily file, the plain way."""
    lines = data.decode().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("Node,Type,Value,"))
    month, day_, year = next(line for line in lines if line[:1].isdigit()).strip(",").split("/")
    rows = list(enumerate(csv.DictReader(io.StringIO("\n".join(lines[at:]))), 1))
    parts = {(cells["Node"], cells["Type"], cells["Value"]): cells for _, cells in rows}
    made = list[tuple[int, str, str, *tuple[Any, ...]]]()
    for number, cells in rows:
        if cells["Value"] != "LMP":
            continue
        key = (cells["Node"], cells["Type"])
        for hour in range(1, 25):
            start = datetime(int(year), int(month), int(day_), 5, tzinfo=UTC) + HOUR * (hour - 1)
            price = Decimal(cells[f"HE {hour}"])
            mcc, mlc = (
                Decimal(parts[*key, part][f"HE {hour}"]) if (*key, part) in parts else None for part in ("MCC", "MLC")
            )
            energy = price - mcc - mlc if mcc is not None and mlc is not None else None
            made.append((number, *key, start, price, energy, mcc, mlc))
    return made
