"""Deliveries that overlap, and finer and coarser points: every kept price is the mean of what is shown."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.curves.granular import of_pieces
from pipeline.curves.snapshot import build
from pipeline.curves.weights import weighed
from tests.db.clickhouse.rows import publications
from tests.pipeline.curves.making import CALENDAR, CURVE, MONDAY, Row, generic, strip

PRICES = st.decimals(-5, 9, places=3)


def points(rows: list[Row]) -> pl.DataFrame:
    built = build(CURVE, publications(rows), CALENDAR)
    return built.points.with_columns(tenant=pl.lit("public"), curve=pl.lit(CURVE.curve))


def weights(days: pl.DataFrame) -> pl.DataFrame:
    local = pl.col("start").dt.convert_time_zone(CURVE.zone).dt.date()
    return weighed(CURVE, days.select(local.alias("day"), "price"))


def mean(weights: pl.DataFrame, start: date, end: date) -> Decimal:
    """Of a delivery, by the days' weights."""
    held = weights.filter(pl.col("day").is_between(start, end, closed="left"))
    assert held.height == (end - start).days
    pairs = list(held.select("price", "weight").iter_rows())
    return sum((price * weight for price, weight in pairs), Decimal(0)) / sum(weight for _, weight in pairs)


def test_a_quarter_tells_what_its_months_leave_open() -> None:
    found = points([*strip(MONDAY, "3", "4"), generic("NG-Q2-26", MONDAY, "4")])
    rows = found.select("product", "price", "kind", "inputs").rows()
    assert rows[2] == ("month", Decimal(5), "averaged", ["NGJ26", "NGK26", "NG-Q2-26"])


def test_what_contradicts_is_refused_by_name_with_its_residual_and_moves_nothing() -> None:
    months = strip(MONDAY, "3", "4", "5")
    found = points([*months, generic("NG-Q2-26", MONDAY, "4.5")])
    [refused] = found.filter(role="rejected").to_dicts()
    assert (refused["inputs"], refused["residual"], refused["kind"]) == (["NG-Q2-26"], Decimal("0.5"), "quote")
    assert refused["reason"].startswith("contradicts NGJ26")
    assert found.filter(role="point").equals(points(months))


def test_a_rounded_quarter_agrees() -> None:
    assert (
        points([*strip(MONDAY, "3", "4", "5.001"), generic("NG-Q2-26", MONDAY, "4")]).filter(role="rejected").is_empty()
    )


@pytest.mark.parametrize(
    ("granularity", "prices"), [("quarter", ["4", "2"]), ("season", []), ("month", ["3", "4", "5", "1", "2", "3"])]
)
def test_coarser_points_are_those_of_whole_periods(granularity: str, prices: list[str]) -> None:
    found = of_pieces(CURVE, points(strip(MONDAY, "3", "4", "5", "1", "2", "3")), granularity)
    assert found["price"].to_list() == [Decimal(price) for price in prices]


def test_a_mean_is_rounded_once_half_to_even() -> None:
    [row] = of_pieces(CURVE, points(strip(MONDAY, "3", "3", "4")), "quarter")["price"]
    assert row == Decimal("3.333333333333")
    [row] = of_pieces(CURVE, points(strip(MONDAY, "-3", "-3", "-4")), "quarter")["price"]
    assert row == Decimal("-3.333333333333")


@example([Decimal("0.155")] * 3, Decimal("0.155"))  # the same price, which no float holds
@given(st.lists(PRICES, min_size=3, max_size=14), PRICES)
def test_days_average_to_every_price_that_was_kept(months: list[Decimal], summer: Decimal) -> None:
    found = points([*strip(MONDAY, *map(str, months)), generic("NG-Q4-27", MONDAY, str(summer))])
    days = of_pieces(CURVE, found, "day")
    assert set(days["product"]) == {"day"}
    each_day = weights(days)
    for point in found.filter(role="point").iter_rows(named=True):
        start, end = (point[name].astimezone(ZoneInfo(CURVE.zone)).date() for name in ("start", "end"))
        assert abs(mean(each_day, start, end) - point["price"]) <= Decimal("1e-9")


def test_months_of_a_quarter_come_from_the_smooth_curve_and_average_to_it() -> None:
    found = of_pieces(CURVE, points([*strip(MONDAY, "3"), generic("NG-Q4-26", MONDAY, "4")]), "month")
    late = found.filter(pl.col("kind") == "averaged")
    assert late.height == 3
    assert abs(sum(late["price"], Decimal(0)) / 3 - 4) <= Decimal("1e-9")
