"""What is refused of a definition, each problem with its field and the fix; and that the project's own are good."""

import csv
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any

import polars as pl
import pytest

from pipeline.spreads.checks import change_problem, check
from tests.pipeline.spreads.making import leg, row

DA, RT, GAS = "pjm.da_hourly.1", "pjm.rt_hourly.1", "henry_hub.spot.HENRY_HUB"
FUEL = {"align": "flow_day", "factor": "7", "factor_unit": "MMBtu/MWh"}
GOOD = (
    row("dart.a", leg(DA), leg(RT, "-1")),
    row("dart.a", leg("ercot.da_hourly.X"), leg("ercot.rt_15min.X", "-1", align="mean")),
    row("basis.a", leg(DA), leg("pjm.da_hourly.2", "-1")),
    row("hub.a", leg(DA), leg("miso.da_hourly.INDIANA.HUB", "-1")),
    row("spark.a", leg(DA), leg(GAS, "-1", **FUEL)),
    row("heat_rate.a", leg(DA), leg(GAS, align="gas_day")),
    row("gas_basis.a", leg("socal.spot.X", unit="USD/MMBtu"), leg(GAS, "-1")),
    row("calendar.a", {"contract": "henry_hub.NGH27"}, {"contract": "henry_hub.NGJ27", "weight": "-1"}),
    row("peak.a", leg(DA, align="block", block="peak"), leg(DA, "-1", align="block", block="offpeak")),
)


@pytest.mark.parametrize("good", GOOD, ids=lambda each: str(each["spread"]))
def test_a_good_definition_has_no_problem(good: dict[str, Any]) -> None:
    assert check(good) == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (row("crack.a", leg(DA), leg(RT, "-1")), "spread: 'crack.a' is not"),
        (row("dart.A b", leg(DA), leg(RT, "-1")), "spread: 'dart.A b' is not"),
        (row("dart.a", leg(DA), leg(RT, "-1"), legs="{"), "legs: '{' is no JSON array"),
        (row("dart.a", leg(DA), leg(RT, "x")), "legs[1].weight: 'x' is no plain number"),
        (row("dart.a", leg(DA), leg(RT, "1e9999999999")), "legs[1].weight: '1e9999999999' is no plain number"),
        (row("dart.a", leg(DA), leg(RT, "-999999999")), "legs[1]: weight × factor is"),
        (row("dart.a", leg(DA), leg(RT, "-1"), zone="posix/America/New_York"), "is no time zone"),
        (row("dart.a", leg(DA)), "legs: 1 of them. A spread has two."),
        (row("dart.a", leg(DA), leg(RT)), "legs: weights 1 and 1."),
        (row("dart.a", leg(RT), leg(DA, "-1")), "make no dart"),
        (row("dart.a", leg(DA), leg("ercot.rt_sced.X", "-1", align="mean")), "has no fixed intervals"),
        (row("dart.a", leg(DA), leg("nyiso.rt_5min.X", "-1", align="mean")), "has no fixed intervals"),
        (row("dart.a", leg(DA), leg("ercot.rt_15min.X", "-1")), "legs[1].align: interval of ercot.rt_15min.X"),
        (row("dart.a", leg(DA), leg("spread.dart.b", "-1")), "is a spread itself"),
        (row("dart.a", leg(DA), leg(GAS, "-1")), "legs[1].align: interval of henry_hub.spot"),
        (row("spark.a", leg(DA), leg(GAS, "-1", align="flow_day")), "units USD/MWh and USD/MMBtu do not go together"),
        (row("spark.a", leg(DA), leg(RT, "-1", align="flow_day")), "is for spot gas of trade days"),
        (row("heat_rate.a", leg(DA), leg(GAS, "2", align="flow_day")), "leave both at 1"),
        (row("heat_rate.a", leg(DA), leg(GAS, align="flow_day"), unit="x"), "Write MMBtu/MWh."),
        (row("gas_basis.a", leg("socal.spot.X"), leg(GAS, "-1")), "legs[0].unit: socal.spot.X has no known unit"),
        (row("gas_basis.a", leg(DA), leg(GAS, "-1")), "has prices of 1h. A gas_basis has daily ones."),
        (row("basis.a", {"contract": "henry_hub.NGH27"}, leg(DA, "-1")), "only a calendar spread has contracts"),
        (row("peak.a", leg(DA, align="block", block="7x7"), leg(DA, "-1", align="block", block="peak")), "no block of"),
        (row("peak.a", leg(DA, align="block"), leg(DA, "-1", align="block", block="peak")), "names its block"),
        (row("dart.a", leg(DA), leg(RT, "-1"), zone="Mars/Olympus"), "is no time zone"),
        (
            row("dart.a", leg(DA), leg(RT, "-1"), valid_from=date(2025, 1, 2), valid_to=date(2025, 1, 2)),
            "does not come after",
        ),
    ],
)
def test_a_wrong_definition_is_refused_with_the_fix(wrong: dict[str, Any], problem: str) -> None:
    assert any(problem in each for each in check(wrong)), check(wrong)


def test_a_definition_with_values_may_only_end() -> None:
    old = row("dart.a", leg(DA), leg(RT, "-1"))
    ended = old | {"valid_to": date(2026, 1, 1)}
    assert change_problem(old, ended) is None
    assert change_problem(old, old | {"formula": "said otherwise"}) is None
    assert change_problem(ended, ended) is None
    for other in (None, row("dart.a", leg(DA), leg(RT, "-2")), old | {"zone": "UTC"}):
        assert "has values" in str(change_problem(old, other))
    assert "has values" in str(change_problem(ended, old | {"valid_to": date(2027, 1, 1)}))


def own() -> list[Mapping[str, Any]]:
    text = files("db.reference").joinpath("data", "spreads.csv").read_text(encoding="utf-8")
    nothing = {"tenant": "public", "valid_from": None, "valid_to": None}
    return [dict(each) | nothing for each in csv.DictReader(text.splitlines())]


def test_the_projects_own_definitions_are_good() -> None:
    rows = own()
    assert [problem for each in rows for problem in check(each)] == []
    names = pl.Series([each["spread"] for each in rows])
    assert names.is_unique().all()
    assert set(names.str.split(".").list.first()) == {
        "dart", "basis", "hub", "spark", "heat_rate", "gas_basis", "calendar", "peak",
    }  # fmt: skip
