"""Which rules match, and which of them speaks."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from pipeline import taxonomy
from tests.pipeline.taxonomy import tables


def rule(name: str = "r", priority: int = 1, tenant: str = "public", **cells: Any) -> dict[str, Any]:
    return {"tenant": tenant, "rule": name, "priority": priority, **cells}


def found(of: pl.DataFrame, *rules: dict[str, Any], day: date = tables.DAY) -> dict[str, Any]:
    given = {**tables.own(), "taxonomy_rules": tables.rows("taxonomy_rules", *rules)}
    return taxonomy.classify(of, given, day).row(0, named=True)


@pytest.mark.parametrize(
    ("instrument", "word", "matches"),
    [
        ("SPRING_PEAK", "NG", False),
        ("SPRINGFIELD", "NG", False),
        ("NGCC_1", "NG", False),
        ("NGU26", "NG", False),
        ("HUDSON_NG_1", "NG", True),
        ("NG", "NG", True),
        ("hudson.ng-1", "NG", True),
        ("NG_HH_BALMO", "NG HH", True),
        ("NG1_HH", "NG HH", False),
        ("HH_NG", "NG HH", False),
        ("GAS_TURBINE", "GAS", True),
        ("GASTON", "GAS", False),
    ],
)
def test_a_word_stands_alone(instrument: str, word: str, matches: bool) -> None:
    said = found(tables.one(instrument), rule(field="instrument", match="word", text=word, commodity="gas"))
    assert said["commodity"] == ("gas" if matches else None)


@pytest.mark.parametrize(
    ("match", "text", "matches"),
    [
        ("prefix", "hq_", True),
        ("prefix", "GEN", False),
        ("suffix", "proxy", True),
        ("suffix", "HQ", False),
        ("pattern", "^HQ_[A-Z]+_", True),
        ("pattern", "^hq", False),
        ("pattern", "(", False),
    ],
)
def test_edges_are_in_any_case_and_patterns_as_written(match: str, text: str, matches: bool) -> None:
    said = found(tables.one("HQ_GEN_PROXY"), rule(field="instrument", match=match, text=text, commodity="power"))
    assert said["commodity"] == ("power" if matches else None)


def test_all_conditions_must_be_met() -> None:
    node = tables.one("pjm.da_hourly.1", "pjm", "da_hourly", location="1", location_type="GEN")
    full: dict[str, Any] = {"market": "pjm", "product": "da_hourly", "location_type": "GEN", "commodity": "power"}
    assert found(node, rule(**full))["commodity"] == "power"
    for name in ("market", "product", "location_type"):
        assert found(node, rule("r", 1, **{**full, name: "other"}))["commodity"] is None


def test_the_location_of_a_generic_tick_is_what_its_id_says() -> None:
    code = rule(field="location", match="pattern", text="^NG[FGH][0-9]{2}$", commodity="gas")
    assert found(tables.one("powerx.futures.NGF27", product="futures"), code)["commodity"] == "gas"
    assert found(tables.one("NGF27", product="futures"), code)["commodity"] == "gas"
    assert found(tables.one("other.futures.NGF27", product="futures"), code)["commodity"] is None


def test_the_highest_priority_speaks_for_each_attribute() -> None:
    low = rule("low", 1, product="tick", commodity="oil", tier="spot")
    said = found(tables.one("X"), low, rule("high", 2, product="tick", commodity="gas"))
    assert (said["commodity"], said["tier"]) == ("gas", "spot")


def test_at_one_priority_the_own_rule_of_a_tenant_speaks() -> None:
    public, own = (
        rule("theirs", product="tick", commodity="oil"),
        rule("mine", tenant="acme", product="tick", commodity="gas"),
    )
    assert found(tables.one("X", tenant="acme"), public, own)["commodity"] == "gas"
    assert found(tables.one("X", tenant="other"), public, own)["commodity"] == "oil"
    assert found(tables.one("X", tenant="acme"), {**public, "priority": 2}, own)["commodity"] == "oil"
    assert "rule mine of acme" in found(tables.one("X", tenant="acme"), own)["reason"]


def test_rules_that_contradict_each_other_leave_no_value() -> None:
    said = found(
        tables.one("NG_PEAK", "pjm", "futures"),
        rule("gas", field="instrument", match="word", text="NG", commodity="gas"),
        rule("power", market="pjm", product="futures", commodity="power", tier="futures"),
    )
    assert said["commodity"] is None
    assert (
        "rule power (market, product: 0.91) (power) and rule gas (word in instrument: 0.70) (gas) contradict"
        in said["reason"]
    )
    assert said["tier"] == "futures"


def test_of_rules_that_agree_the_most_specific_speaks() -> None:
    said = found(
        tables.one("X"), rule("a", product="tick", tier="spot"), rule("b", market="powerx", product="tick", tier="spot")
    )
    assert "tier spot by rule b" in said["reason"]


@pytest.mark.parametrize(("day", "tier"), [(1, None), (2, "spot"), (3, "spot"), (4, None)])
def test_a_rule_holds_from_a_day_until_before_another(day: int, tier: str | None) -> None:
    dated = rule(product="tick", tier="spot", valid_from=date(2026, 1, 2), valid_to=date(2026, 1, 4))
    assert found(tables.one("X"), dated, day=date(2026, 1, day))["tier"] == tier


def test_without_rules_or_instruments() -> None:
    assert found(tables.one("X"))["confidence"] == 0
    assert taxonomy.classify(tables.one("X").clear(), tables.own(), tables.DAY).schema == dict(taxonomy.CLASSIFIED)


def test_the_order_of_rules_changes_nothing() -> None:
    given, of = tables.own(), tables.instruments(pl.read_csv(tables.LABELLED, infer_schema=False))
    turned = {**given, "taxonomy_rules": given["taxonomy_rules"].reverse(), "locations": given["locations"].reverse()}
    assert taxonomy.classify(of, given, tables.DAY).equals(taxonomy.classify(of, turned, tables.DAY))
