from datetime import date
from decimal import Decimal

import polars as pl

from pipeline import schema
from pipeline.enrich import Enriched, enrich
from pipeline.normalize import normalize
from pipeline.reference.known import KNOWN
from pipeline.reference.tables import TABLES
from tests.pipeline.making import batch, document, interval, oasis, tick
from tests.tables import empty_tables

TICKS = normalize(
    batch(
        tick(market="nowhere", instrument_id="X"),
        tick(market="pjm", instrument_id="P", envelope={"event_id": "e2"}),
        document(oasis(*interval(), *interval(5)).decode()),
    ),
    "public",
).ticks
REFERENCE = schema.conform(
    pl.DataFrame([{
        "tenant": "acme", "instrument": "P", "market": "pjm", "product": "tick", "unit": "USD/kWh", "zone": "UTC",
        "complete": False, "commodity": "power", "tier": "futures", "confidence": Decimal("0.9"),
    }]),
    KNOWN,
)  # fmt: skip
RULES = schema.conform(
    pl.DataFrame([{
        "tenant": "public", "rule": "r", "priority": 1, "market": "caiso", "product": "rt_5min", "commodity": "power",
        "region": "US-CA", "tier": "real_time", "source": "here",
    }]),
    TABLES["taxonomy_rules"].schema,
)  # fmt: skip
DAY = date(2024, 6, 1)


def enriched(ticks: pl.DataFrame, reference: pl.DataFrame, rules: pl.DataFrame = RULES) -> Enriched:
    return enrich(ticks, reference, {**empty_tables(), "taxonomy_rules": rules}, DAY)


def test_registered_instruments_get_their_reference_and_others_what_the_registry_knows() -> None:
    found = enriched(TICKS, REFERENCE)
    listed = found.ticks.select("instrument", "unit", "currency", "zone", "complete").rows()
    caiso = ("caiso.rt_5min.NODE_A", "USD/MWh", "USD", "America/Los_Angeles", True)
    assert sorted(listed) == [
        ("P", "USD/kWh", None, "UTC", False), ("X", None, None, None, False), caiso, caiso,
    ]  # fmt: skip
    assert found.ticks["instrument"].equals(TICKS["instrument"])


def test_what_an_instrument_is_stands_beside_its_ticks_from_the_first_one_on() -> None:
    listed = enriched(TICKS, REFERENCE).ticks.unique("instrument").select("instrument", "commodity", "region", "tier")
    assert sorted(listed.rows()) == [
        ("P", "power", None, "futures"),
        ("X", None, None, None),
        ("caiso.rt_5min.NODE_A", "power", "US-CA", "real_time"),
    ]
    late = RULES.with_columns(valid_from=pl.lit(date(2024, 6, 2)))
    assert enriched(TICKS, REFERENCE, late).ticks.filter(pl.col("market") == "caiso")["commodity"].null_count() == 2


def test_each_unseen_instrument_once() -> None:
    unseen = enriched(TICKS, REFERENCE).unseen
    later = {"name", "first_seen"}
    assert dict(unseen.schema) == {name: dtype for name, dtype in schema.REFERENCE.items() if name not in later}
    assert unseen.select("tenant", "instrument", "market", "product", "location", "complete").rows() == [
        ("acme", "X", "nowhere", "tick", None, False),
        ("public", "caiso.rt_5min.NODE_A", "caiso", "rt_5min", "NODE_A", True),
    ]


def test_a_tenants_own_reference_is_no_other_tenants() -> None:
    own = REFERENCE.with_columns(tenant=pl.lit("other"))
    assert "P" in enriched(TICKS, own).unseen["instrument"]
    assert "P" not in enriched(TICKS, REFERENCE).unseen["instrument"]


def test_an_empty_reference() -> None:
    assert enriched(TICKS, REFERENCE.clear()).unseen.height == 3
    assert enriched(TICKS.clear(), REFERENCE).ticks.height == 0


def test_a_name_that_the_reference_does_not_hold_is_told_with_its_first_interval() -> None:
    named = TICKS.filter(pl.col("market") == "caiso").with_columns(location_name=pl.Series(["NEW", "OLD"]))
    first, second = named["start"]
    held = REFERENCE.with_columns(
        tenant=pl.lit("public"), instrument=pl.lit("caiso.rt_5min.NODE_A"), name=pl.lit("OLD")
    )
    found = enriched(named, held).named
    assert found.rows() == [("public", "caiso.rt_5min.NODE_A", "NEW", first)]
    twice = pl.concat([named.sort("start", descending=True), named.with_columns(location_name=pl.lit("OLD"))])
    assert enriched(twice, REFERENCE).named.sort("name").select("name", "since").rows() == [
        ("NEW", first),
        ("OLD", first),
    ]
    assert second > first
    assert enriched(TICKS, REFERENCE).named.is_empty()
