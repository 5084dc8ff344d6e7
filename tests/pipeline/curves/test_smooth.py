"""The smooth curve through pieces: a published curve, its ends, seasons, gaps and shape."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipeline.curves.bootstrap import Bootstrapped, bootstrap
from pipeline.curves.deliveries import Input
from pipeline.curves.shape import fitted
from pipeline.curves.smooth import smooth
from tests.pipeline.curves.strips import CENT, DAY, days, delivery, etrm, even, frame, mean

VECTOR = Path(__file__).parents[3].parent / "shared" / "data" / "reference" / "curve_vector.json"
WEIGHTS = even(2013, 2021)
Days = dict[date, Decimal]


def curve(made: Bootstrapped, **options: Any) -> Days:
    table = frame(made.pieces, WEIGHTS)
    return dict(zip(table["day"].to_list(), smooth(table, **options).to_list(), strict=True))


@pytest.fixture
def published() -> tuple[Bootstrapped, dict[str, float], int]:
    if not VECTOR.exists():
        pytest.skip("the published curve is not here (../shared/data/reference)")
    known = json.loads(VECTOR.read_text())["cmdty_python"]
    given = [
        Input(first, date.fromisoformat(first), date.fromisoformat(last) + DAY, Decimal(str(price)), "quote", CENT)
        for first, last, price in known["contracts"]
    ]
    return bootstrap(given, WEIGHTS), known["points"], known["n"]


def test_the_published_pieces(published: tuple[Bootstrapped, dict[str, float], int]) -> None:
    made, _, _ = published
    found = {each.start.isoformat(): round(each.price, 6) for each in made.pieces}
    expected = {
        "2019-06-10": "30.556190", "2019-08-01": "30.296885", "2020-01-01": "38.464505", "2021-04-01": "32.414863"
    }  # fmt: skip
    assert {start: found[start] for start in expected} == {start: Decimal(price) for start, price in expected.items()}
    assert not any(each.implausible for each in made.pieces)


def test_the_published_days_with_a_free_end(published: tuple[Bootstrapped, dict[str, float], int]) -> None:
    made, points, count = published
    found = curve(made, free=True)
    assert len(found) == count
    assert {day: float(found[date.fromisoformat(day)]) for day in points} == pytest.approx(points, abs=1e-6, rel=0)


def test_a_flat_end_has_no_slope(published: tuple[Bootstrapped, dict[str, float], int]) -> None:
    made, _, _ = published
    ends = {free: list(curve(made, free=free).values())[-3:] for free in (True, False)}
    slopes = {free: float(3 * end[2] - 4 * end[1] + end[0]) / 2 for free, end in ends.items()}  # at the last day
    assert abs(slopes[False]) < 1e-3 < abs(slopes[True])


def test_every_kept_contract_is_returned() -> None:
    made = bootstrap(etrm(), WEIGHTS)
    table = frame(made.pieces, WEIGHTS)
    for options in ({}, {"free": True}, {"seasons": (4, 11)}, {"shape": fitted(table), "seasons": (4, 10)}):
        found = curve(made, **options)
        for each in made.checked:
            missed = mean(found, each.input.start, each.input.end, WEIGHTS) - Fraction(each.input.price - each.residual)
            assert abs(missed) < 1e-9, each.input.name


def two_seasons(winter: str) -> Days:
    given = [
        delivery("AUG", "2014-08-01", "2014-08-31", "3"), delivery("SEP", "2014-09-01", "2014-09-30", "4"),
        delivery("OCT", "2014-10-01", "2014-10-31", "3.5"), delivery("WIN", "2014-11-01", "2015-03-31", winter),
    ]  # fmt: skip
    return curve(bootstrap(given, WEIGHTS), seasons=(4, 11))


def test_a_winter_tells_nothing_of_the_summer_before() -> None:
    one, other = two_seasons("5"), two_seasons("50")
    summer = days(date(2014, 8, 1), date(2014, 11, 1))
    assert [one[day] for day in summer] == [other[day] for day in summer]
    assert {one[day] for day in days(date(2014, 11, 1), date(2015, 4, 1))} == {Decimal(5)}


def test_a_gap_cuts() -> None:
    months = [delivery("JAN", "2014-01-01", "2014-01-31", "3"), delivery("FEB", "2014-02-01", "2014-02-28", "4")]
    after = delivery("APR", "2014-04-01", "2014-04-30", "9")
    alone, both = (curve(bootstrap(given, WEIGHTS)) for given in (months, [*months, after]))
    assert {day: both[day] for day in alone} == alone
    assert {both[day] for day in days(date(2014, 4, 1), date(2014, 5, 1))} == {Decimal(9)}


def test_a_year_over_seasons_has_one_adjustment() -> None:
    year = bootstrap([delivery("CAL", "2014-01-01", "2014-12-31", "-2")], WEIGHTS)
    table = frame(year.pieces, WEIGHTS)
    assert set(curve(year, seasons=(4, 11)).values()) == {Decimal(-2)}
    shape = pl.Series(np.where(table["day"].dt.month() < 4, 365 / 90, 0.0))
    found = curve(year, seasons=(4, 11), shape=shape)
    assert float(found[date(2014, 1, 1)] - found[date(2014, 7, 1)]) == pytest.approx(365 / 90, abs=1e-11)
    assert float(found[date(2014, 7, 1)]) == pytest.approx(-3, abs=1e-11)


def test_a_sinusoid_of_the_year_is_found() -> None:
    span = days(date(2014, 1, 1), date(2016, 1, 1))
    turn = {day: 2 * np.pi * (day.timetuple().tm_yday - 1) / 365 for day in span}
    months = sorted({day.replace(day=1) for day in span})
    held = {first: [day for day in span if day.replace(day=1) == first] for first in months}
    wave = {day: -2 * np.cos(turn[day]) + np.sin(2 * turn[day]) for day in span}
    rows = [
        (day, 24, first, 7 + sum(wave[each] for each in held[first]) / len(held[first]))
        for first in months for day in held[first]
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=["day", "weight", "piece_start", "price"], orient="row")
    expected = list(wave.values())
    assert fitted(table).to_numpy() == pytest.approx(expected, abs=1e-9)
    assert set(fitted(table.head(300))) == {0.0}


def test_a_peak_piece_over_a_season_that_weighs_nothing_there() -> None:
    """The days before the border are a weekend."""
    weights = WEIGHTS | {day: 0 for day in WEIGHTS if day.isoweekday() > 5}
    made = bootstrap([delivery("W", "2017-03-25", "2017-04-06", "40")], weights)
    assert set(smooth(frame(made.pieces, weights), seasons=(4,)).to_list()) == {Decimal(40)}
