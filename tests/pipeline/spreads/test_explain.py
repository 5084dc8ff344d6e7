"""Explanations: what stood of each leg, with its message, and the formula with numbers."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.flags import Flag
from pipeline.spreads.definitions import Definition, of_row
from pipeline.spreads.explain import Explained, explained, needed
from tests.pipeline.spreads.making import HOUR, NOON, Row, calendars, dart, frame, leg, published, row

DA, RT, GAS = "pjm.da_hourly.1", "pjm.rt_hourly.1", "henry_hub.spot.HENRY_HUB"


def explain(definition: Definition, rows: list[Row], start: datetime = NOON) -> Explained:
    alone, cells, _ = needed(definition, calendars(), start)
    return explained(alone, cells, frame(rows))


def gas(price: str) -> Row:
    return published(GAS, datetime(2025, 4, 30, tzinfo=UTC), price)


def test_legs_are_what_stands_with_their_messages() -> None:
    rows = [published(DA, NOON, "66.677576"), published(RT, NOON, "1", 1), published(RT, NOON, "172.600812", 2, row=9)]
    found = explain(dart(), [*rows, published(RT, NOON, "172.600812", 3)])
    assert found.legs.select("leg", "instrument", "price", "topic_id", "partition", "offset", "row").rows() == [
        (0, DA, Decimal("66.677576"), "t", 0, 0, 1),
        (1, RT, Decimal("172.600812"), "t", 0, 2, 9),
    ]
    assert found.written == "66.677576 − 172.600812 = -105.923236"
    assert found.value["price"].to_list() == [Decimal("-105.923236")]
    assert found.missing == []


def test_what_is_missing_is_named() -> None:
    found = explain(dart(), [published(DA, NOON, "1")])
    assert (found.missing, found.written, found.value.height, found.legs.height) == ([(RT, NOON)], None, 0, 1)


@pytest.mark.parametrize(("price", "text"), [("6.85", "90.94 − 7 × 6.85 = 42.99"), ("-1", "90.94 − 7 × (-1) = 97.94")])
def test_a_spark_spread_is_written_out(price: str, text: str) -> None:
    fuel = leg(GAS, "-1", align="flow_day", factor="7", factor_unit="MMBtu/MWh")
    assert explain(of_row(row("spark.a", leg(DA), fuel)), [published(DA, NOON, "90.94"), gas(price)]).written == text


@pytest.mark.parametrize(("price", "text"), [("2.30", "25 ÷ 2.3 = 10.869565217"), ("0", "25 ÷ 0 = no value")])
def test_a_heat_rate_is_written_out(price: str, text: str) -> None:
    spread = of_row(row("heat_rate.a", leg(DA), leg(GAS, align="flow_day")))
    assert explain(spread, [published(DA, NOON, "25"), gas(price)]).written == text


def test_means_are_written_out_or_summed_up() -> None:
    quarter = timedelta(minutes=15)
    hour = of_row(row("dart.x", leg("ercot.da_hourly.X"), leg("ercot.rt_15min.X", "-1", align="mean")))
    rows = [published("ercot.rt_15min.X", NOON + each * quarter, str(each)) for each in range(4)]
    found = explain(hour, [*rows, published("ercot.da_hourly.X", NOON, "2")])
    assert found.written == "2 − mean(0, 1, 2, 3) = 0.5"
    blocks = leg(DA, align="block", block="peak"), leg(DA, "-1", align="block", block="offpeak")
    midnight = datetime(2025, 5, 1, 4, tzinfo=UTC)
    day = [published(DA, midnight + each * HOUR, str(each)) for each in range(24)]
    found = explain(of_row(row("peak.x", *blocks)), day, midnight)
    assert found.written == "mean of 16 prices from 7 to 22 − mean of 8 prices from 0 to 23 = 9"


@pytest.mark.parametrize("start", [NOON + timedelta(minutes=30), NOON + timedelta(seconds=1)])
def test_where_no_interval_begins_there_is_nothing(start: datetime) -> None:
    assert needed(dart(), calendars(), start)[1].is_empty()


def test_a_withdrawn_leg_is_no_value() -> None:
    rows = [published(DA, NOON, "5"), published(RT, NOON, "5", 1, flags=int(Flag.ADVISORY))]
    assert explain(dart(valid_from=date(2025, 1, 1)), rows).written == "5 − 5 = no value"
