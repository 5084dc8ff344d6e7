"""The examples of docs/events.md are what Gridtick writes."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline import events
from pipeline.curve_events import curves
from pipeline.curves.snapshot import build
from pipeline.enrich import enrich
from pipeline.envelope import RawBatch
from pipeline.events import Kind
from pipeline.normalize import normalize
from pipeline.reference.tables import TABLES as REGISTRY
from pipeline.schema import conform
from tests.db.clickhouse.rows import publications
from tests.pipeline.curves.making import CALENDAR, CURVE, MONDAY, strip
from tests.pipeline.curves.making import generic as generic_tick
from tests.pipeline.making import document, interval, oasis, tick
from tests.pipeline.test_events import REFERENCE, bar
from tests.tables import empty_tables

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
TOPIC = "IcQ7kX2uRTuY9wq0b8nPzA"
# The one rule and the one location that the example is joined with.
TABLES = {
    **empty_tables(),
    "taxonomy_rules": conform(
        pl.DataFrame([{
            "tenant": "public", "rule": "caiso_rt_5min", "priority": 900, "market": "caiso", "product": "rt_5min",
            "commodity": "power", "tier": "real_time", "source": "here",
        }]),
        REGISTRY["taxonomy_rules"].schema,
    ),
    "locations": conform(
        pl.DataFrame([{
            "tenant": "public", "market": "caiso", "location": "NODE_A", "kind": "node", "region": "US-CA",
            "hub": "TH_NP15_GEN-APND", "source": "here",
        }]),
        REGISTRY["locations"].schema,
    ),
}  # fmt: skip
NOON = datetime(2024, 6, 1, 20, tzinfo=UTC)


def example(kind: Kind) -> Any:
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found = [json.loads(block, parse_float=Decimal) for block in blocks]
    [shown] = [each for each in found if each["envelope"]["event_type"] == events.TYPES[kind]]
    return shown


def ticks(value: bytes, partition: int, offset: int, known_at: datetime) -> pl.DataFrame:
    batch = RawBatch(TOPIC, partition, [offset], [int(known_at.timestamp() * 1_000_000)], [value])
    return enrich(normalize(batch, "public").ticks, REFERENCE, TABLES, known_at.date()).ticks


def generic() -> pl.DataFrame:
    raw = {"price": -120.5, "volume": 1000, "bid": -120.55, "ask": -120.45}
    envelope = {"event_id": "powerx-000017", "source": "feed.powerx"}
    value = tick(raw, envelope, market="POWERX", instrument_id="hub_7.futures")
    return events.normalized(ticks(value, 3, 7, datetime(2024, 1, 1, microsecond=250_000, tzinfo=UTC)))


def of_a_document() -> pl.DataFrame:
    value = document(oasis(*interval(5, LMP="31.50001", MCC="1.25001")).decode())
    sent = json.loads(value)
    sent["envelope"]["source"] = "oasis"
    return events.enriched(ticks(json.dumps(sent).encode(), 0, 41, NOON + timedelta(minutes=9)), 4)


def corrected() -> pl.DataFrame:
    whose = {"tenant": "public", "instrument": "caiso.rt_5min.NODE_A", "interval": "15m"}
    when = {"start": NOON, "end": NOON + timedelta(minutes=15), "updated_at": NOON + timedelta(minutes=21)}
    prices = {"open": "31.50001", "high": "33", "low": "-0.5", "close": "33", "twap": "21.333336667", "vwap": None}
    return events.bars(bar(**whose, **when, **prices, volume=None, covered_seconds="900"))


def of_a_curve() -> pl.DataFrame:
    rows = [*strip(MONDAY, "3.112"), generic_tick("NG-Q2-26", MONDAY, "3.2"), generic_tick("NG=F", MONDAY, "3.1")]
    built = build(CURVE, publications(rows), CALENDAR)
    whose = {"tenant": pl.lit("public"), "curve": pl.lit(CURVE.curve)}
    heads = built.heads.with_columns(**whose, unit=pl.lit(CURVE.unit), ver=pl.lit(12884901893, pl.UInt64))
    return curves(heads, built.points.with_columns(**whose))


@pytest.mark.parametrize(
    ("kind", "made"),
    [("normalized", generic), ("enriched", of_a_document), ("bar", corrected), ("curve", of_a_curve)],
)  # fmt: skip
def test_an_example_is_what_is_written(kind: Kind, made: Any) -> None:
    [value] = made()["value"]
    assert json.loads(value, parse_float=Decimal) == example(kind)
    assert list(json.loads(value)["payload"]) == list(example(kind)["payload"]), "in the same order"
