"""Made-up reports in the formats of ERCOT, what is read of them, and the labels of a local day."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import members
from pipeline.members import Reading

CENTRAL = ZoneInfo("America/Chicago")
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)

DAY_AHEAD = "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag"
QUARTERS = (
    "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,SettlementPointPrice,DSTFlag"
)
SCED = "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP"
API_DAY_AHEAD = ("deliveryDate", "hourEnding", "settlementPoint", "settlementPointPrice", "DSTFlag")
API_QUARTERS = (
    "deliveryDate", "deliveryHour", "deliveryInterval", "settlementPoint", "settlementPointType",
    "settlementPointPrice", "DSTFlag",
)  # fmt: skip
API_SCED = ("SCEDTimestamp", "repeatHourFlag", "settlementPoint", "LMP")
DAM_CORRECTED = "DeliveryDate,DeliveryHour,SettlementPoint,SPPOriginal,SPPCorrected,PriceCorrectionTime,DSTFlag"
RTM_CORRECTED = (
    "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,SPPOriginal,SPPCorrected,"
    "PriceCorrectionTime,DSTFlag"
)
SCED_CORRECTED = "SCEDTimestamp,SettlementPointName,LMPOriginal,LMPCorrected,PriceCorrectionTime,DSTFlag"

DAY_ROW, QUARTER_ROW = "06/01/2024,10:00,HB_NORTH, 31.5,N", "06/01/2024,10,3,LZ_WEST,LZ,31.5,N"
RUN_ROW = "06/01/2024 09:35:17,N,HB_NORTH,       31.50"


def report(header: str, *rows: str) -> bytes:
    return "\n".join((header, *rows, "")).encode()


def answer(names: Sequence[str], *rows: Sequence[Any], emil: str = "NP4-190-CD") -> bytes:
    """An answer of the public API."""
    fields = [{"name": name, "label": name, "cardinality": n} for n, name in enumerate(names, 1)]
    about = {"reportName": "made_up", "reportEMIL": emil}
    return json.dumps({"_meta": {"totalRecords": len(rows)}, "report": about, "fields": fields, "data": rows}).encode()


def parse(content: bytes, product: str | None = None, market: str | None = None, name: str = "x.csv") -> Reading:
    read = members.read(content, name, market, product)
    if read.refused:
        raise read.refused[0][1]
    return read


def central(stamp: str, fold: int = 0) -> datetime:
    """The instant at which the clock in Texas shows this, for the first or second time."""
    return datetime.fromisoformat(stamp).replace(tzinfo=CENTRAL, fold=fold).astimezone(UTC)


def problems(read: Reading) -> list[tuple[int, str, str]]:
    return read.rejects.select("row", "field", "value").rows()


def clock_changes(first: int, last: int) -> list[date]:
    """The days of those years, both included, that have no 24 hours."""
    days = [date(first, 1, 1) + timedelta(days=n) for n in range((date(last + 1, 1, 1) - date(first, 1, 1)).days)]
    return [day for day in days if _midnight(day + timedelta(days=1)) - _midnight(day) != timedelta(days=1)]


def labels(day: date, step: timedelta) -> Iterator[tuple[datetime, int, int, bool]]:
    """(instant, hour ending, quarter, second pass) of the steps of a local day."""
    at = _midnight(day)
    while at < _midnight(day + timedelta(days=1)):
        local = at.astimezone(CENTRAL)
        yield at, local.hour + 1, local.minute // 15 + 1, bool(local.fold)
        at += step


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CENTRAL).astimezone(UTC)
