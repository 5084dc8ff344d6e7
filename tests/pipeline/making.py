"""Made-up inputs that several tests share."""

import json
from typing import Any

from pipeline.envelope import RawBatch

HEADER = (
    "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,LMP_TYPE,"
    "XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,{price},OPR_INTERVAL,GROUP"
)
PARTS = {"LMP": "31.5", "MCE": "30", "MCC": "1.25", "MCL": ".25"}


def oasis_row(kind: str, value: str, minute: int = 0, node: str = "NODE_A", run: str = "RTM") -> str:
    """One component row of a 5-minute interval of 2024-06-01 20:00 UTC."""
    start, end = f"2024-06-01T20:{minute:02}:00-00:00", f"2024-06-01T20:{minute + 5:02}:00-00:00"
    return f"{start},{end},2024-06-01,14,{node},{node},{node},{run},{kind},X,{node},ALL,1,{value},1,1"


def oasis(*rows: str, price: str = "VALUE") -> bytes:
    """A report of 5-minute prices."""
    return "\n".join((HEADER.format(price=price), *rows, "")).encode()


def interval(minute: int = 0, node: str = "NODE_A", **values: str) -> list[str]:
    """The four rows of one node and interval."""
    return [oasis_row(kind, values.get(kind, value), minute, node) for kind, value in PARTS.items()]


def tick(raw: dict[str, Any] | None = None, envelope: dict[str, Any] | None = None, **payload: Any) -> bytes:
    """A generic tick, with parts replaced."""
    data = {"timestamp": "2024-01-01T00:00:00Z", "price": 43.17, "volume": 207, "bid": 43.12, "ask": 43.22}
    return json.dumps(
        {
            "envelope": {"event_id": "e1", "tenant_id": "acme", "source": "test", **(envelope or {})},
            "payload": {"market": "MISO", "instrument_id": "NODE", "raw_data": {**data, **(raw or {})}, **payload},
        }
    ).encode()


def document(content: str, **payload: Any) -> bytes:
    """A message that carries an exchange's document."""
    body = {"market": "caiso", "format": "csv", "encoding": "utf-8", "name": "doc.csv", "document": content}
    return json.dumps({"envelope": {"event_id": "d1"}, "payload": {**body, **payload}}).encode()


def batch(*values: bytes, known_at_us: int = 1_704_067_200_000_000, first: int = 0) -> RawBatch:
    """A batch that was appended at one instant."""
    offsets = list(range(first, first + len(values)))
    return RawBatch("topic", 3, offsets, [known_at_us] * len(values), list(values))
