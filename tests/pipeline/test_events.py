"""Outgoing events, as a consumer parses them."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipeline import events
from pipeline.enrich import enrich
from pipeline.flags import Flag
from pipeline.normalize import normalize
from pipeline.reference.known import KNOWN
from pipeline.schema import INSTANT, PRICE, conform
from tests.pipeline.making import batch, document, interval, oasis, tick
from tests.tables import empty_tables

DAY = datetime(2024, 1, 1, tzinfo=UTC)
_ROW = {
    "tenant": "acme", "instrument": "NODE", "market": "miso", "product": "tick", "unit": "USD/MWh", "currency": "USD",
    "zone": "America/New_York", "complete": True, "commodity": "power", "region": "US-IN", "tier": "spot",
    "hub": "INDIANA.HUB", "confidence": Decimal("0.95"),
}  # fmt: skip
REFERENCE = conform(pl.DataFrame([_ROW]), KNOWN)


def ticks(*values: bytes, first: int = 0) -> pl.DataFrame:
    read = normalize(batch(*values, first=first), "public")
    assert read.rejects.is_empty(), read.rejects
    return enrich(read.ticks, REFERENCE, empty_tables(), DAY.date()).ticks


def parsed(found: pl.DataFrame) -> list[Any]:
    return [json.loads(value, parse_float=Decimal) for value in found["value"]]


def ids(found: pl.DataFrame) -> list[str]:
    return [each["envelope"]["event_id"] for each in parsed(found)]


def bar(**more: Any) -> pl.DataFrame:
    """One row of `db.clickhouse.shown.shown_bars`."""
    row = {
        "tenant": "acme", "instrument": "X", "interval": "5m", "start": DAY, "end": DAY + timedelta(minutes=5),
        "open": "10", "high": "20.000000001", "low": "-0.5", "close": "12.25", "volume": "123456789012.5", "count": 3,
        "flags": 3, "revision": 1, "updated_at": DAY + timedelta(minutes=6, milliseconds=250), "ver": 2**40 + 4,
        "vwap": "11", "twap": None, "covered_seconds": "0",
    }  # fmt: skip
    amounts = {**dict.fromkeys(("open", "high", "low", "close", "vwap", "twap"), PRICE), "volume": pl.Decimal(38, 9)}
    types = {
        **amounts, "covered_seconds": pl.Decimal(18, 6), "start": INSTANT, "end": INSTANT, "updated_at": INSTANT,
        "count": pl.UInt64(), "flags": pl.UInt32(), "revision": pl.UInt64(), "ver": pl.UInt64(),
    }  # fmt: skip
    cells = {name: Decimal(str(value)) if isinstance(types.get(name), pl.Decimal) and value is not None else value
             for name, value in {**row, **more}.items()}  # fmt: skip
    return pl.DataFrame({name: pl.Series([value], dtype=types.get(name)) for name, value in cells.items()})


def test_a_normalized_tick_to_the_last_character() -> None:
    found = events.normalized(ticks(tick({"price": "-0.000000001", "bid": 43.10, "ask": None}), first=7))
    assert found["key"].to_list() == [b"NODE"]
    assert found["value"].item().decode() == (
        '{"envelope":{"event_type":"normalized.market.ticks.v1","event_id":"normalized/topic/3/7/0",'
        '"timestamp":"2024-01-01T00:00:00Z","tenant_id":"acme","source":"gridtick.normalization","version":"1.0"},'
        '"payload":{"instrument_id":"NODE","timestamp":"2024-01-01T00:00:00Z","interval_end":null,'
        '"price":-0.000000001,"energy":null,"congestion":null,"loss":null,"ghg":null,"volume":207,"bid":43.1,'
        '"ask":null,"quality_flags":["VALID","PRICE_NEGATIVE"],"version":0,"metadata":{"market":"miso",'
        '"product":"tick","location":null,"location_type":null,"location_name":null,"source":"test","source_event_id":"e1"}}}'
    )


def test_an_enriched_tick_adds_the_reference_that_it_was_joined_with() -> None:
    one = ticks(tick())
    normalized, enriched = parsed(events.normalized(one))[0], parsed(events.enriched(one, 12))[0]
    names = ("unit", "currency", "zone", "commodity", "region", "tier", "hub", "confidence")
    known = {**{name: _ROW[name] for name in names}, "reference_version": 12}
    assert enriched["payload"] == {
        **normalized["payload"],
        "metadata": {**normalized["payload"]["metadata"], **known},
    }
    assert enriched["envelope"] == {
        **normalized["envelope"],
        "event_type": "enriched.market.ticks.v1",
        "event_id": "enriched/topic/3/0/0",
        "source": "gridtick.enrichment",
    }


def test_an_incomplete_reference_is_a_flag_of_the_enriched_tick_alone() -> None:
    one = ticks(tick(market="nowhere", instrument_id="Y"))
    assert parsed(events.normalized(one))[0]["payload"]["quality_flags"] == ["VALID"]
    found = parsed(events.enriched(one, 1))[0]["payload"]
    assert found["quality_flags"] == ["VALID", "MISSING_METADATA"]
    assert (found["metadata"]["unit"], found["metadata"]["zone"]) == (None, None)


def test_a_price_of_a_document_has_its_interval_and_parts() -> None:
    [found] = parsed(events.normalized(ticks(document(oasis(*interval(5, LMP="-31.50000")).decode()))))
    payload = found["payload"]
    assert (payload["timestamp"], payload["interval_end"]) == ("2024-06-01T20:05:00Z", "2024-06-01T20:10:00Z")
    assert [payload[name] for name in ("price", "energy", "congestion", "loss", "ghg", "volume")] == [
        Decimal("-31.5"), 30, Decimal("1.25"), Decimal("0.25"), None, None,
    ]  # fmt: skip
    assert payload["metadata"] == {
        "market": "caiso", "product": "rt_5min", "location": "NODE_A", "location_type": None, "location_name": None,
        "source": "",
        "source_event_id": None,
    }  # fmt: skip
    instant = int(datetime(2024, 6, 1, 20, 5, tzinfo=UTC).timestamp()) * 1_000_000
    assert found["envelope"]["event_id"] == f"normalized/topic/3/0/1/{instant}"


@pytest.mark.parametrize("name", ['a"b', "back\\slash", "é😀/ß", "</script>", "\u2028", "x" * 200])
def test_names_that_need_escaping_come_out_as_they_went_in(name: str) -> None:
    several = ticks(tick(instrument_id=name), tick(instrument_id="plain", envelope={"event_id": "\x01\n\t\x7f"}))
    found = events.normalized(several)
    assert found["key"].to_list() == [name.encode(), b"plain"]
    assert [each["payload"]["instrument_id"] for each in parsed(found)] == [name, "plain"]
    assert parsed(found)[1]["payload"]["metadata"]["source_event_id"] == "\x01\n\t\x7f"


def test_rows_that_differ_and_rows_that_agree_are_written_alike() -> None:
    """What all rows share is written once for all: alone, every tick must read as it does among others."""
    values = [
        tick({"timestamp": f"2024-01-01T00:00:00.{digits}Z", "price": price, "volume": None, "bid": bid})
        for digits, price, bid in (("1", "0", None), ("000001", "100", 5), ("5", "-999999999.999999999", None))
    ]
    values += [document(oasis(*interval()).decode()), tick(instrument_id="other", envelope={"tenant_id": "b"})]
    together = events.enriched(ticks(*values), 1)["value"].to_list()
    alone = [events.enriched(ticks(value, first=at), 1)["value"].item() for at, value in enumerate(values)]
    assert sorted(together) == sorted(alone)
    assert len(set(together)) == 5
    assert b'"timestamp":"2024-01-01T00:00:00.000001Z"' in alone[1]
    assert b'"price":-999999999.999999999,' in alone[2]
    assert b'"price":0,' in alone[0]


def test_ids_are_equal_over_repeats_and_different_otherwise() -> None:
    report = document(oasis(*interval(), *interval(5), *interval(node="B")).decode())
    one = ticks(report, report, tick(), tick())
    made = [*ids(events.normalized(one)), *ids(events.enriched(one, 1))]
    assert len(set(made)) == len(made) == 2 * (3 + 3 + 1 + 1)
    again = ticks(tick(), first=3)  # cut otherwise, and with another reference
    assert ids(events.enriched(again, 2)) == [each for each in made if each == "enriched/topic/3/3/0"]


def test_prices_of_one_row_have_ids_of_their_own() -> None:
    day = ticks(document(oasis(*interval()).decode())).select(pl.all().repeat_by(24).explode())
    hours = day.with_columns(ts=pl.col("ts") + pl.duration(hours=pl.int_range(24)))
    assert len(set(ids(events.normalized(hours)))) == 24


def test_no_tick_gives_no_event() -> None:
    assert events.normalized(ticks(tick()).clear()).is_empty()
    assert events.bars(bar().clear()).is_empty()


def test_a_bar_to_the_last_character() -> None:
    found = events.bars(bar())
    event_id = parsed(found)[0]["envelope"]["event_id"]
    assert found["key"].to_list() == [b"X"]
    assert found["value"].item().decode() == (
        f'{{"envelope":{{"event_type":"aggregation.bars.v1","event_id":"{event_id}",'
        '"timestamp":"2024-01-01T00:06:00.25Z","tenant_id":"acme","source":"gridtick.aggregation","version":"1.0"},'
        '"payload":{"instrument_id":"X","interval":"5m","start":"2024-01-01T00:00:00Z","end":"2024-01-01T00:05:00Z",'
        '"open":10,"high":20.000000001,"low":-0.5,"close":12.25,"volume":123456789012.5,"vwap":11,"twap":null,'
        '"covered_seconds":0,"count":3,"quality_flags":["VALID","PRICE_NEGATIVE"],"revision":1,"ver":1099511627780,'
        '"updated_at":"2024-01-01T00:06:00.25Z"}}'
    )


def test_a_bar_that_lost_its_last_price_has_none() -> None:
    nothing = dict.fromkeys(("open", "high", "low", "close"), "0")
    lost = bar(**nothing, volume=None, vwap=None, count=0, flags=0)
    [payload] = [each["payload"] for each in parsed(events.bars(lost))]
    assert [payload[name] for name in ("open", "high", "low", "close", "volume", "vwap", "twap")] == [None] * 7
    assert (payload["count"], payload["quality_flags"], payload["revision"]) == (0, [], 1)


@pytest.mark.parametrize(
    "other",
    [{"tenant": "acme2"}, {"instrument": "Y"}, {"interval": "15m"}, {"start": DAY - timedelta(minutes=5)},
     {"ver": 2**40 + 5}, {"low": "-0.500000001"}, {"volume": None}, {"flags": int(Flag.VALID)}, {"count": 0}],
)  # fmt: skip
def test_a_bars_id_tells_whose_it_is_and_what_it_holds(other: dict[str, Any]) -> None:
    [once], [again], [changed] = (ids(events.bars(each)) for each in (bar(), bar(), bar(**other)))
    assert once == again
    assert once != changed
    both = ids(events.bars(pl.concat([bar(), bar(**other)])))
    assert both == [once, changed]


def test_the_envelope_is_the_one_of_every_event() -> None:
    one = ticks(tick())
    for found in (events.normalized(one), events.enriched(one, 1), events.bars(bar())):
        [event] = parsed(found)
        assert list(event) == ["envelope", "payload"]
        assert list(event["envelope"]) == ["event_type", "event_id", "timestamp", "tenant_id", "source", "version"]
        assert event["envelope"]["event_type"] in events.TYPES.values()
