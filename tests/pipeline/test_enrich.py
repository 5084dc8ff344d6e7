import polars as pl

from pipeline import schema
from pipeline.enrich import enrich
from pipeline.normalize import normalize
from tests.pipeline.making import batch, document, interval, oasis, tick

TICKS = normalize(
    batch(
        tick(market="nowhere", instrument_id="X"),
        tick(market="pjm", instrument_id="P", envelope={"event_id": "e2"}),
        document(oasis(*interval(), *interval(5)).decode()),
    ),
    "public",
).ticks
REFERENCE = pl.DataFrame(
    {
        "instrument": ["P"],
        "name": [None],
        "unit": ["USD/kWh"],
        "currency": [None],
        "zone": ["UTC"],
        "complete": [False],
    },
    schema_overrides={"currency": pl.String, "name": pl.String},
)


def test_registered_instruments_get_their_reference_and_others_what_the_registry_knows() -> None:
    enriched = enrich(TICKS, REFERENCE)
    listed = enriched.ticks.select("instrument", "unit", "currency", "zone", "complete").rows()
    caiso = ("caiso.rt_5min.NODE_A", "USD/MWh", "USD", "America/Los_Angeles", True)
    assert sorted(listed) == [
        ("P", "USD/kWh", None, "UTC", False), ("X", None, None, None, False), caiso, caiso,
    ]  # fmt: skip
    assert enriched.ticks["instrument"].equals(TICKS["instrument"])


def test_each_unseen_instrument_once() -> None:
    unseen = enrich(TICKS, REFERENCE).unseen
    later = {"name", "first_seen"}
    assert dict(unseen.schema) == {name: dtype for name, dtype in schema.REFERENCE.items() if name not in later}
    assert unseen.select("tenant", "instrument", "market", "product", "location", "complete").rows() == [
        ("acme", "X", "nowhere", "tick", None, False),
        ("public", "caiso.rt_5min.NODE_A", "caiso", "rt_5min", "NODE_A", True),
    ]


def test_a_tenants_own_reference_is_no_other_tenants() -> None:
    own = REFERENCE.with_columns(tenant=pl.lit("other"))
    assert "P" in enrich(TICKS, own).unseen["instrument"]
    assert "P" not in enrich(TICKS, own.with_columns(tenant=pl.lit("acme"))).unseen["instrument"]


def test_an_empty_reference() -> None:
    assert enrich(TICKS, REFERENCE.clear()).unseen.height == 3
    assert enrich(TICKS.clear(), REFERENCE).ticks.height == 0


def test_a_name_that_the_reference_does_not_hold_is_told_with_its_first_interval() -> None:
    named = TICKS.filter(pl.col("market") == "caiso").with_columns(location_name=pl.Series(["NEW", "OLD"]))
    first, second = named["start"]
    held = REFERENCE.with_columns(instrument=pl.lit("caiso.rt_5min.NODE_A"), name=pl.lit("OLD"))
    found = enrich(named, held).named
    assert found.rows() == [("public", "caiso.rt_5min.NODE_A", "NEW", first)]
    twice = pl.concat([named.sort("start", descending=True), named.with_columns(location_name=pl.lit("OLD"))])
    assert enrich(twice, REFERENCE).named.sort("name").select("name", "since").rows() == [
        ("NEW", first),
        ("OLD", first),
    ]
    assert second > first
    assert enrich(TICKS, REFERENCE).named.is_empty()
