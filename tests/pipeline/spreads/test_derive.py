"""Derived publications: one a message, each as of it; kinds by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from pipeline.flags import Flag
from pipeline.spreads.definitions import of_row
from tests.pipeline.spreads.making import HOUR, NOON, Row, dart, derived, leg, published, row, values

DA, RT = "pjm.da_hourly.1", "pjm.rt_hourly.1"
GAS = "henry_hub.spot.HENRY_HUB"


def test_a_value_comes_with_the_message_that_completes_it() -> None:
    (found,) = derived(dart(), [published(DA, NOON, "66.677576"), published(RT, NOON, "172.600812", 1)])
    assert found == dict.fromkeys(found) | {
        "tenant": "public", "instrument": "spread.dart.west", "market": "spread", "product": "dart",
        "location": "west", "location_type": "spread", "ts": NOON, "source_rank": 0, "event_id": "", "start": NOON,
        "end": NOON + HOUR, "hold_end": NOON + HOUR, "price": Decimal("-105.923236"),
        "flags": Flag.VALID | Flag.PRICE_NEGATIVE, "version": 0, "source": "gridtick.spreads",
        "known_at": NOON + timedelta(minutes=1), "topic_id": "t", "partition": 0, "offset": 1, "row": 0, "seen": 6,
        "zone": "America/New_York", "unit": "USD/MWh",
    }  # fmt: skip


def test_a_leg_that_is_missing_gives_no_value() -> None:
    assert derived(dart(), [published(DA, NOON, "1"), published(RT, NOON + HOUR, "1")]) == []


def test_a_correction_corrects_and_an_old_version_does_not() -> None:
    rows = [
        published(DA, NOON, "50"),
        published(RT, NOON, "40", 1, version=2),
        published(RT, NOON, "99", 2, version=1),
        published(RT, NOON, "45", 3, version=2),
    ]
    prices = [(1, 10), (2, 10), (3, 5)]
    assert values(dart(), rows) == [(NOON, offset, Decimal(price)) for offset, price in prices]


def test_what_is_withdrawn_takes_the_value_with_it() -> None:
    rows = [
        published(DA, NOON, "50"),
        published(RT, NOON, "40", 1),
        published(RT, NOON, "40", 2, flags=int(Flag.ADVISORY)),
        published(RT, NOON, "41", 3),
    ]
    found = [(each["price"], each["flags"]) for each in derived(dart(), rows)]
    assert found == [(10, Flag.VALID), (0, Flag.NO_VALUE), (9, Flag.VALID)]


def test_two_rows_of_a_message_are_one_publication() -> None:
    rows = [published(DA, NOON, "5", row=7), published(RT, NOON, "3", row=9), published(RT, NOON, "2", row=11)]
    assert values(dart(), rows) == [(NOON, 0, Decimal(3))]


def test_order_and_repetition_change_nothing() -> None:
    rows = [published(DA, NOON, "50"), published(RT, NOON, "40", 1), published(DA, NOON, "51", 2)]
    expected = derived(dart(), rows)
    assert all(derived(dart(), [*order, order[0]]) == expected for order in permutations(rows))


def test_who_saw_more_wins_at_every_position() -> None:
    rows = [published(DA, NOON, "50"), published(RT, NOON, "40", 2), published(DA, NOON, "51", 1)]
    less, more = derived(dart(), rows[:2]), derived(dart(), rows)
    assert [each["offset"] for each in less] == [2]
    assert [each["offset"] for each in more] == [2]
    assert (less[0]["price"], more[0]["price"]) == (10, 11)
    assert less[0]["seen"] < more[0]["seen"]


def test_a_tenant_sees_its_own_price_first_and_public_spreads_public_ones() -> None:
    own = dart(tenant="acme")
    rows = [
        published(DA, NOON, "50"),
        published(RT, NOON, "40", 1),
        published(RT, NOON, "30", 2, tenant="acme"),
        published(RT, NOON, "45", 3),
        published(RT, NOON, "1", 4, tenant="other"),
    ]
    found = [(each["tenant"], each["offset"], each["price"]) for each in derived([own, dart()], rows)]
    assert found == [("acme", 1, 10), ("acme", 2, 20), ("acme", 3, 20), ("public", 1, 10), ("public", 3, 5)]


def test_a_definition_holds_for_its_local_days() -> None:
    midnight = datetime(2025, 5, 2, 4, tzinfo=UTC)
    first = dart(valid_to=date(2025, 5, 2))
    after = of_row(row("dart.west", leg(DA, "2"), leg(RT, "-1"), valid_from=date(2025, 5, 2)))
    rows = [published(each, midnight + hours * HOUR, "10") for hours in (-1, 0) for each in (DA, RT)]
    assert values([first, after], rows) == [(midnight - HOUR, 0, Decimal(0)), (midnight, 0, Decimal(10))]


# Kinds


def test_real_time_of_ercot_is_the_mean_of_four_quarters() -> None:
    parts = [leg("ercot.da_hourly.X"), leg("ercot.rt_15min.X", "-1", align="mean")]
    spread = of_row(row("dart.x", *parts, zone="America/Chicago"))
    quarters = [
        published("ercot.rt_15min.X", NOON + quarter * timedelta(minutes=15), price, quarter + 1)
        for quarter, price in enumerate(("10", "10.01", "10.01", "10.01"))
    ]
    day_ahead = published("ercot.da_hourly.X", NOON, "20")
    assert values(spread, [day_ahead, *quarters[:3]]) == []
    assert values(spread, [day_ahead, *quarters]) == [(NOON, 4, Decimal("9.9925"))]


def test_a_mean_is_rounded_once_half_to_even() -> None:
    spread = of_row(row("dart.x", leg("ercot.da_hourly.X"), leg("ercot.rt_15min.X", "-1", align="mean")))

    def value(last: str) -> Decimal:
        prices = ("0", "0", "0", last)
        quarters = [
            published("ercot.rt_15min.X", NOON + each * timedelta(minutes=15), price)
            for each, price in enumerate(prices)
        ]
        ((_, _, price),) = values(spread, [published("ercot.da_hourly.X", NOON, "0"), *quarters])
        return price

    units = [value(f"{each}e-9") * 10**9 for each in (-2, -6, 2, 6, 3)]
    assert units == [0, 2, 0, -2, -1]


def test_basis_has_congestion_and_loss_apart() -> None:
    spread = of_row(row("basis.east", leg("pjm.da_hourly.2"), leg(DA, "-1")))
    energy: Row = {"energy": Decimal("60.2")}
    node = published("pjm.da_hourly.2", NOON, "29.357335", congestion=Decimal(-31), loss=Decimal("0.157335"), **energy)
    hub = published(DA, NOON, "66.677576", congestion=Decimal(6), loss=Decimal("0.477576"), **energy)
    (found,) = derived(spread, [node, hub])
    assert found["price"] == Decimal("-37.320241")
    assert (found["energy"], found["congestion"], found["loss"]) == (0, -37, Decimal("-0.320241"))


def test_a_basis_without_parts_has_none() -> None:
    spread = of_row(row("basis.east", leg("pjm.da_hourly.2"), leg(DA, "-1")))
    (found,) = derived(spread, [published("pjm.da_hourly.2", NOON, "3", loss=Decimal(1)), published(DA, NOON, "2")])
    assert (found["price"], found["energy"], found["congestion"], found["loss"]) == (1, None, None, None)


def gas(day: date, price: str, offset: int = 0) -> Row:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return published(GAS, start, price, offset)


def test_a_spark_spread_is_not_clipped() -> None:
    fuel = leg(GAS, "-1", align="flow_day", factor="7", factor_unit="MMBtu/MWh")
    spread = of_row(row("spark.west", leg(DA), fuel))
    power = [published(DA, NOON, "90.94"), published(DA, NOON + HOUR, "10")]
    found = values(spread, [*power, gas(date(2025, 4, 30), "6.85")])
    assert found == [(NOON, 0, Decimal("42.99")), (NOON + HOUR, 0, Decimal("-37.95"))]


def test_an_implied_heat_rate_is_null_where_gas_is_not_above_zero() -> None:
    spread = of_row(row("heat_rate.west", leg(DA), leg(GAS, align="flow_day")))
    found = derived(spread, [published(DA, NOON, "25"), gas(date(2025, 4, 30), "2.30"), gas(date(2025, 4, 30), "0", 1)])
    assert [(each["price"], each["flags"]) for each in found] == [
        (Decimal("10.869565217"), Flag.VALID), (0, Flag.NO_VALUE),
    ]  # fmt: skip
    assert round(found[0]["price"], 3) == Decimal("10.870")


@pytest.mark.parametrize(
    ("flow", "traded"),
    [
        (date(2025, 8, 29), date(2025, 8, 28)),  # Friday
        (date(2025, 8, 30), date(2025, 8, 29)),
        (date(2025, 8, 31), date(2025, 8, 29)),
        (date(2025, 9, 1), date(2025, 8, 29)),  # Labor Day, a Monday
        (date(2025, 9, 2), date(2025, 8, 29)),
        (date(2025, 9, 3), date(2025, 9, 2)),
    ],
)
@pytest.mark.parametrize(("align", "hour", "before"), [("flow_day", 4, 0), ("gas_day", 14, 0), ("gas_day", 13, 1)])
def test_gas_flows_from_the_day_after_its_trade(flow: date, traded: date, align: str, hour: int, before: int) -> None:
    """The first hour of the local day in New York; the gas day's is 14:00 UTC, and before it that of the day before."""
    spread = of_row(row("heat_rate.west", leg(DA), leg(GAS, align=align)))
    start = datetime(flow.year, flow.month, flow.day, hour, tzinfo=UTC) + timedelta(days=before)
    days = [date(2025, 8, 25) + timedelta(days=each) for each in range(10)]
    prices = [gas(day, str(day.day)) for day in days]
    ((_, _, price),) = values(spread, [published(DA, start, "100"), *prices])
    assert price == round(Decimal(100) / traded.day, 9)


def daily(instrument: str, day: date, price: str, offset: int = 0) -> Row:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return published(instrument, start, price, offset, end=start + timedelta(days=1))


def test_a_calendar_spread_of_contracts_does_not_jump_at_the_roll() -> None:
    spread = of_row(
        row(
            "calendar.x",
            {"contract": "henry_hub.NGX25", "weight": "1"},
            {"contract": "henry_hub.NGZ25", "weight": "-1"},
        )
    )
    strips = [
        daily(f"henry_hub.futures.NG{position:02}", date(2025, 9, day), price)
        for day, prices in {26: ("2.8", "3.1", "3.6"), 29: ("3.2", "3.7", "4.1")}.items()
        for position, price in enumerate(prices, 1)
    ]
    found = [(start.date().day, price) for start, _, price in values(spread, strips)]
    assert found == [(26, Decimal("-0.5")), (29, Decimal("-0.5"))]


def test_gas_basis_is_point_less_henry_hub_of_a_day() -> None:
    spread = of_row(row("gas_basis.socal", leg("socal.spot.CITYGATE", unit="USD/MMBtu"), leg(GAS, "-1")))
    day = date(2025, 5, 1)
    generic = daily("socal.spot.CITYGATE", day, "4.25") | {"source_rank": 1, "event_id": "x"}
    start = datetime(2025, 5, 1, tzinfo=UTC)
    (found,) = derived(spread, [generic, daily(GAS, day, "3.1")])
    assert (found["start"], found["end"], found["price"]) == (start, start + timedelta(days=1), Decimal("1.15"))


def test_peak_less_off_peak_needs_every_hour_of_a_local_day() -> None:
    legs = leg(DA, align="block", block="peak"), leg(DA, "-1", align="block", block="offpeak")
    spread = of_row(row("peak.west", *legs))
    midnight = datetime(2025, 5, 1, 4, tzinfo=UTC)
    hours = [published(DA, midnight + each * HOUR, str(100 if 7 <= each < 23 else 40), each) for each in range(24)]
    assert values(spread, hours[1:]) == []
    assert values(spread, hours) == [(midnight, 23, Decimal(60))]


def test_a_day_without_peak_hours_has_no_value() -> None:
    legs = leg(DA, align="block", block="peak"), leg(DA, "-1", align="block", block="offpeak")
    sunday = datetime(2025, 5, 4, 4, tzinfo=UTC)
    hours = [published(DA, sunday + each * HOUR, "1") for each in range(24)]
    assert values(of_row(row("peak.west", *legs)), hours) == []
