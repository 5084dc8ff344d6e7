"""The formula of the confidence, and what facts, locations and contracts say."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipeline import taxonomy
from tests.pipeline.taxonomy import tables

WESTERN = tables.one("pjm.da_hourly.51288", "pjm", "da_hourly", location="51288", location_type="HUB")
FULL = {"commodity": "gas", "region": "US-TX", "tier": "spot"}


def found(of: pl.DataFrame, day: date = tables.DAY, **changed: pl.DataFrame) -> dict[str, Any]:
    return taxonomy.classify(of, {**tables.own(), **changed}, day).row(0, named=True)


def facts(*given: dict[str, Any]) -> pl.DataFrame:
    return tables.rows("instrument_facts", *given)


def test_a_rule_a_location_and_whole_metadata() -> None:
    said = found(WESTERN)
    assert (said["commodity"], said["region"], said["tier"]) == ("power", "PJM", "day_ahead")
    assert said["confidence"] == Decimal("0.91")  # 3/3 × min(0.91, 1, 0.91) × 1.00
    assert said["reason"] == (
        "commodity power by rule pjm_da_hourly (market, product: 0.91); region PJM by location 51288; "
        "tier day_ahead by rule pjm_da_hourly (market, product: 0.91); metadata 5/5 × 1.00; 3/3 decided × 0.91 = 0.91"
    )


def test_metadata_that_is_absent_costs() -> None:
    said = found(tables.one("NGU26", product="futures"))
    assert said["confidence"] == Decimal("0.82")  # 0.97 × (0.75 + 0.05 × 2)
    assert "metadata 2/5 (without unit, currency, zone) × 0.85" in said["reason"]


def test_what_is_not_decided_costs() -> None:
    said = found(tables.one("BZZ26", "nymex", "futures"))
    assert (said["commodity"], said["region"], said["tier"]) == ("oil", None, "futures")
    assert said["confidence"] == Decimal("0.54")  # 2/3 × 0.97 × 0.85
    assert "region unknown: nothing says it" in said["reason"]


@pytest.mark.parametrize(("confirmed", "confidence"), [(True, "1.00"), (False, "0.76"), (None, "0.76")])
def test_a_fact_speaks_before_all_else(confirmed: bool | None, confidence: str) -> None:
    """By hand it is certain whatever is known beside; else it is 0.9 × 0.85."""
    said = found(tables.one("NGU26"), instrument_facts=facts({"instrument": "NGU26", "confirmed": confirmed, **FULL}))
    assert {name: said[name] for name in FULL} == FULL
    assert said["confidence"] == Decimal(confidence)


def test_a_fact_fills_the_metadata() -> None:
    given = {"unit": "USD/MWh", "currency": "USD", "zone": "America/Chicago", "tick_size": Decimal("0.01")}
    said = found(tables.one("X", product="futures"), instrument_facts=facts({"instrument": "X", **given}))
    assert {name: said[name] for name in given} == given
    assert "metadata 5/5 × 1.00" in said["reason"]


def test_the_own_fact_of_a_tenant_speaks_cell_by_cell() -> None:
    both = facts(
        {"instrument": "X", "commodity": "gas", "region": "US-TX", "confirmed": True},
        {"instrument": "X", "commodity": "oil", "tenant": "acme"},
    )
    own, other = (found(tables.one("X", tenant=name), instrument_facts=both) for name in ("acme", "other"))
    assert (own["commodity"], own["region"]) == ("oil", "US-TX")
    assert (other["commodity"], other["region"]) == ("gas", "US-TX")
    assert "commodity oil by fact, unconfirmed: 0.90; region US-TX by fact confirmed by hand" in own["reason"]


def test_a_location_gives_hub_and_load_zone() -> None:
    said = found(tables.one("pjm.da_hourly.51301", "pjm", "da_hourly", location="51301", location_type="ZONE"))
    assert (said["region"], said["hub"], said["load_zone"]) == ("US-NJ", "51288", "51301")


def test_a_location_that_has_ended_says_nothing() -> None:
    hub = tables.one("miso.da_hourly.CINERGY.HUB", "miso", "da_hourly", location="CINERGY.HUB", location_type="Hub")
    assert "by location" in found(hub, date(2011, 12, 31))["reason"]
    assert "by location" not in found(hub, date(2012, 1, 1))["reason"]


def test_a_contract_gives_its_size() -> None:
    sizes = {"size": Decimal(10_000), "tick": Decimal("0.001")}
    held = tables.rows("contracts", {"market": "henry_hub", "contract": "NGU26", **sizes})
    of = tables.one("henry_hub.futures.NGU26", "henry_hub", "futures", location="NGU26")
    said = found(of, contracts=held)
    assert (said["contract_size"], said["tick_size"]) == (Decimal(10_000), Decimal("0.001"))
    assert found(of)["contract_size"] is None
    fact = facts({"instrument": "henry_hub.futures.NGU26", "tick_size": Decimal("0.005")})
    assert found(of, contracts=held, instrument_facts=fact)["tick_size"] == Decimal("0.005")


def test_every_hundredth_is_itself() -> None:
    from pipeline.taxonomy.confidence import judged

    points = pl.Series([number / 100 for number in range(101)])
    every = pl.DataFrame(
        {name: ["x"] * 101 for name in ("market", "product", "unit", "currency", "zone")}
    ).with_columns(
        *(pl.lit("x").alias(name) for name in taxonomy.CLASSIFIED if name in ("commodity", "region", "tier")),
        *(points.alias(f"{name} points") for name in ("commodity", "region", "tier")),
        *(pl.lit("y").alias(f"{name} by") for name in ("commodity", "region", "tier")),
        *(pl.lit(value=True).alias(f"{name} confirmed") for name in ("commodity", "region", "tier")),
    )
    assert judged(every)["confidence"].to_list() == [Decimal(number) / 100 for number in range(101)]
