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
from pipeline.enrich import enrich
from pipeline.envelope import RawBatch
from pipeline.events import Kind
from pipeline.normalize import normalize
from tests.pipeline.making import document, interval, oasis, tick
from tests.pipeline.test_events import REFERENCE, bar

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
TOPIC = "IcQ7kX2uRTuY9wq0b8nPzA"
NOON = datetime(2024, 6, 1, 20, tzinfo=UTC)


def example(kind: Kind) -> Any:
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found = [json.loads(block, parse_float=Decimal) for block in blocks]
    [shown] = [each for each in found if each["envelope"]["event_type"] == events.TYPES[kind]]
    return shown


def ticks(value: bytes, partition: int, offset: int, known_at: datetime) -> pl.DataFrame:
    batch = RawBatch(TOPIC, partition, [offset], [int(known_at.timestamp() * 1_000_000)], [value])
    return enrich(normalize(batch, "public").ticks, REFERENCE).ticks


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


@pytest.mark.parametrize(
    ("kind", "made"), [("normalized", generic), ("enriched", of_a_document), ("bar", corrected)]
)  # fmt: skip
def test_an_example_is_what_is_written(kind: Kind, made: Any) -> None:
    [value] = made()["value"]
    assert json.loads(value, parse_float=Decimal) == example(kind)
    assert list(json.loads(value)["payload"]) == list(example(kind)["payload"]), "in the same order"
