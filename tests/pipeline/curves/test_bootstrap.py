"""Overlapping deliveries as pieces: published lists of contracts, precedence, contradictions, what is left free."""

from datetime import date
from decimal import Decimal

import pytest

from pipeline.curves.bootstrap import Bootstrapped, Checked, Piece, bootstrap
from pipeline.errors import DataProcessingError
from tests.pipeline.curves.strips import by_month, delivery, etrm, even

WEIGHTS = even(2013, 2016)


def piece(made: Bootstrapped, start: str) -> Piece:
    return next(each for each in made.pieces if each.start == date.fromisoformat(start))


def told(made: Bootstrapped, name: str) -> Checked:
    return next(each for each in made.checked if each.input.name == name)


def test_a_year_that_contradicts_its_quarters_is_rejected_with_its_residual() -> None:
    year = told(bootstrap(etrm(), WEIGHTS), "CAL-15")
    assert year.standing == "rejected"
    assert round(year.residual, 4) == Decimal("-0.2231")
    assert (year.tolerance, year.against) == (Decimal("0.025"), ("Q1-15", "Q2-15", "Q3-15", "Q4-15"))


@pytest.mark.parametrize(("name", "prices"), [("CAL-14", 5), ("Q3-13", 4)])
def test_what_differs_by_rounding_agrees(name: str, prices: int) -> None:
    each = told(bootstrap(etrm(), WEIGHTS), name)
    assert each.standing == "agrees"
    assert each.tolerance == Decimal("0.005") * prices
    assert 0 < abs(each.residual) <= each.tolerance


def test_a_straddling_week_forces_two_days_of_june_which_is_implausible() -> None:
    made = bootstrap(etrm(), WEIGHTS)
    assert piece(made, "2013-06-01").end == date(2013, 6, 3)
    assert piece(made, "2013-06-01").price == Decimal("40.915")
    assert piece(made, "2013-05-27").price == Decimal("33.712")
    assert [each.start for each in made.pieces if each.implausible] == [date(2013, 6, 1)]
    assert set(piece(made, "2013-06-01").inputs) == {"MJUN-13", "W23-13", "W24-13", "W25-13", "W26-13"}


def test_a_straddling_week_alone_is_flat() -> None:
    week, june = delivery("W", "2013-05-27", "2013-06-02", "35.77"), delivery("JUN", "2013-06-01", "2013-06-30", "35")
    made = bootstrap([june, week], WEIGHTS)
    assert [each.price for each in made.pieces] == [Decimal("35.77"), Decimal("35.77"), Decimal("34.945000000000")]
    assert [each.given for each in made.pieces] == [False, False, False]
    assert not any(each.implausible for each in made.pieces)


def test_what_is_left_over_is_flat() -> None:
    quarter, month = delivery("Q1", "2014-01-01", "2014-03-31", "40"), delivery("FEB", "2014-02-01", "2014-02-28", "70")
    assert [each.price for each in bootstrap([quarter, month], by_month(2014, 2014)).pieces] == [25, 70, 25]


def test_the_shorter_of_two_straddling_deliveries_is_flat_first() -> None:
    given = [
        delivery("Q1", "2014-01-01", "2014-03-31", "40"), delivery("FEB-APR", "2014-02-01", "2014-04-30", "50"),
        delivery("MAR-APR", "2014-03-01", "2014-04-30", "40"),
    ]  # fmt: skip
    assert [each.price for each in bootstrap(given, by_month(2014, 2014)).pieces] == [10, 70, 40, 40]


def test_months_of_gas_weigh_alike() -> None:
    given = [delivery("JAN", "2014-01-01", "2014-01-31", "4"), delivery("Q1", "2014-01-01", "2014-03-31", "3")]
    assert bootstrap(given, by_month(2014, 2014)).pieces[1].price == Decimal("2.5")
    assert bootstrap(given, WEIGHTS).pieces[1].price == (Decimal(3 * 90 - 4 * 31) / 59).quantize(Decimal("1e-12"))


def test_of_one_delivery_the_settlement_stands() -> None:
    kinds = ("last", "quote", "trade", "settle")
    given = [delivery(kind, "2014-01-01", "2014-01-31", str(4 + at), kind) for at, kind in enumerate(kinds)]
    made = bootstrap(given, WEIGHTS)
    assert [(each.price, each.inputs, each.given) for each in made.pieces] == [(Decimal(7), ("settle",), True)]
    assert [each.input.name for each in made.checked] == ["settle", "trade", "quote", "last"]
    assert [each.residual for each in made.checked] == [0, -1, -2, -3]


def test_half_a_tick_a_price_is_the_border() -> None:
    month = delivery("JAN", "2014-01-01", "2014-01-31", "4")
    for price, standing in (("4.01", "agrees"), ("4.010001", "rejected"), ("3.99", "agrees")):
        other = delivery("again", "2014-01-01", "2014-01-31", price, "last")
        assert told(bootstrap([month, other], WEIGHTS), "again").standing == standing


def test_gaps_stay() -> None:
    given = [delivery("JAN", "2014-01-01", "2014-01-31", "4"), delivery("MAR", "2014-03-01", "2014-03-31", "-3")]
    assert [(each.start, each.end, each.price) for each in bootstrap(given, WEIGHTS).pieces] == [
        (date(2014, 1, 1), date(2014, 2, 1), 4), (date(2014, 3, 1), date(2014, 4, 1), -3),
    ]  # fmt: skip


def test_days_that_weigh_nothing_make_no_piece() -> None:
    weights = {day: 16 * (day.isoweekday() < 6) for day in WEIGHTS}
    given = [delivery("W2", "2014-01-06", "2014-01-10", "40"), delivery("JAN", "2014-01-01", "2014-01-31", "50")]
    made = bootstrap(given, weights)
    assert [each.start.day for each in made.pieces] == [1, 6, 11]
    assert [each.inputs for each in made.pieces] == [("W2", "JAN"), ("W2",), ("W2", "JAN")]
    assert made.pieces[0].price == made.pieces[2].price == (Decimal(50 * 23 - 40 * 5) / 18).quantize(Decimal("1e-12"))


def test_nothing_makes_nothing() -> None:
    assert bootstrap([], WEIGHTS) == Bootstrapped((), ())


@pytest.mark.parametrize(
    ("first", "last", "price", "kind", "named"),
    [
        ("2014-02-01", "2014-01-01", "4", "quote", "before it begins"),
        ("2014-01-01", "2014-01-31", "NaN", "quote", "finite"),
        ("2014-01-01", "2014-01-31", "4", "guess", "guess"),
        ("2014-01-04", "2014-01-05", "4", "quote", "no day that weighs"),
        ("2020-01-01", "2020-01-05", "4", "quote", "no weight"),
    ],
)
def test_what_no_curve_can_take_is_an_error(first: str, last: str, price: str, kind: str, named: str) -> None:
    weights = {day: int(day.isoweekday() < 6) for day in WEIGHTS}
    with pytest.raises(DataProcessingError, match=named):
        bootstrap([delivery("X", first, last, price, kind)], weights)
