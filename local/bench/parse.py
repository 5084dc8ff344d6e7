"""How fast documents are read: beside a reader of the same bytes that only makes text of them."""

import io
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import polars as pl
from lxml import etree

from local.bench import full_size
from local.bench.full_size import Full, Kind
from pipeline import members
from pipeline.errors import DataProcessingError

MOST: Final = {False: 3.0, True: 6.0}  # times the plain reader; the second where rows are pivoted from wide forms


@dataclass(frozen=True, slots=True)
class Plan:
    """`scale`: of the full size; `rounds`: how often each is read, in turn."""

    scale: float
    rounds: int


def measure(plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """Seconds, rows a second and the ratio of every document."""
    found = [_measured(document, plan.rounds, say) for document in full_size.documents(plan.scale)]
    return {"benchmark": "parse", "scale": plan.scale, "rounds": plan.rounds, "documents": found}


def _measured(document: Full, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    ours, plain = list[float](), list[float]()
    ticks = 0
    for _ in range(rounds):
        plain.append(_timed(lambda: PLAIN[document.kind](document.content)))
        began = time.perf_counter()
        ticks = _read(document)
        ours.append(time.perf_counter() - began)
    took, beside = statistics.median(ours), statistics.median(plain)
    result = {
        "document": document.name, "bytes": len(document.content), "rows": document.rows, "ticks": ticks,
        "seconds": round(took, 4), "rows_per_second": round(document.rows / took),
        "plain_seconds": round(beside, 4), "ratio": round(took / beside, 2), "most": MOST[document.pivoted],
    }  # fmt: skip
    say(f"{document.name}: {result['rows_per_second']:,} rows/s, {result['ratio']} times the plain reader")
    return result


def _read(document: Full) -> int:
    read = members.read(document.content, document.file)
    if read.refused or read.rejects.height:
        raise DataProcessingError(f"{document.name} cannot be read: {read.refused or read.rejects['reason'][0]}", "cli")
    return read.ticks.height


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _csv(content: bytes) -> object:
    """Text columns; the preamble of MISO's files is left away for it."""
    skip = content.count(b"\n", 0, max(0, content.find(b"Node,Type,Value")))
    return pl.read_csv(io.BytesIO(content), skip_rows=skip, infer_schema=False)


def _xml(content: bytes) -> object:
    """The fields of every record as text."""
    return [[field.text for field in record] for record in etree.fromstring(content).iter("{*}REPORT_DATA")]


PLAIN: Final[Mapping[Kind, Callable[[bytes], object]]] = {"csv": _csv, "json": orjson.loads, "xml": _xml}
