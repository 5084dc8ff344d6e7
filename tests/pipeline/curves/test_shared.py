"""Henry Hub curves of real chains and strips, with the calendar that comes with the program."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from pipeline import members
from pipeline.curves.definitions import Calendar, Curve, calendar_of, curves_of
from pipeline.curves.granular import of_pieces
from pipeline.curves.points import PointFlag
from pipeline.curves.snapshot import Built, build
from pipeline.reference.reading import read
from pipeline.schema import INSTANT, SEEN, TICKS, conform

GAS = Path(__file__).parents[4] / "shared" / "data" / "iso" / "gas"
CHAINS = {"2026-01-27": 35, "2026-08-07": 35, "2026-08-21": 35}
STRIPS = ("2018_2019", "2021")
ROLLS = 36
pytestmark = pytest.mark.skipif(not GAS.exists(), reason="the shared gas documents are not here")


@cache
def reference() -> tuple[Curve, Calendar]:
    """The curve and the calendar of the program's own tables."""
    held = files("db.reference") / "data"
    names = ("curves", "contracts", "holidays")
    tables = {name: read((held / f"{name}.csv").read_bytes(), name).rows for name in names}
    [curve] = curves_of(tables["curves"])
    return curve, calendar_of(tables)


def ticks(path: Path, offset: int = 0) -> pl.DataFrame:
    """A document as the publications of one message."""
    found = members.read(path.read_bytes(), path.name, "henry_hub", "futures").ticks
    kept = found.select(name for name in found.columns if name in TICKS)
    known = pl.lit(datetime(2026, 9, 1, tzinfo=UTC), dtype=INSTANT)
    return conform(
        kept.with_columns(
            tenant=pl.lit("public"), source_rank=pl.lit(0), event_id=pl.lit(""), flags=pl.lit(1), source=pl.lit("test"),
            known_at=known, topic_id=pl.lit("topic"), partition=pl.lit(0), offset=pl.lit(offset),
            parser_version=pl.lit(1),
        ),
        SEEN,
    )  # fmt: skip


@cache
def strips() -> Built:
    curve, calendar = reference()
    documents = [GAS / "henry_hub_strips" / f"ng_nearby_{years}.csv" for years in STRIPS]
    return build(curve, pl.concat([ticks(path, at) for at, path in enumerate(documents)]), calendar)


def rows() -> list[dict[str, str]]:
    paths = [GAS / "henry_hub_strips" / f"ng_nearby_{years}.csv" for years in STRIPS]
    return [row for path in paths for row in csv.DictReader(path.read_text().splitlines())]


@pytest.mark.parametrize("day", CHAINS)
def test_a_chain_is_a_curve_of_its_day(day: str) -> None:
    curve, calendar = reference()
    built = build(curve, ticks(GAS / "forward_curve_json" / f"ng_forward_curve_{day}.json"), calendar)
    points = built.points.filter(session=date.fromisoformat(day), role="point")
    assert points.height == CHAINS[day]
    assert points["kind"].unique().to_list() == ["last"]
    assert not built.heads.filter(session=date.fromisoformat(day))["partial"].item()
    assert (points["start"][1:] == points["end"][:-1]).all()


def test_a_quote_of_last_week_is_stale_by_its_age() -> None:
    curve, calendar = reference()
    built = build(curve, ticks(GAS / "forward_curve_json" / "ng_forward_curve_2026-01-27.json"), calendar)
    ages = built.points.filter(session=date(2026, 1, 27), flags=int(PointFlag.STALE)).select("inputs", "age").rows()
    assert ages == [(["NGN28"], 1), (["NGQ28"], 4), (["NGV28"], 1), (["NGX28"], 1)]


def test_every_row_of_a_strip_is_a_curve_and_a_row_without_prices_none() -> None:
    priced = [date.fromisoformat(row["date"]) for row in rows() if row["NG01"]]
    assert strips().heads["session"].to_list() == priced
    assert len(rows()) > len(priced), "holidays are rows"
    assert not strips().heads["partial"].any()
    assert strips().points["role"].unique().to_list() == ["point"]


@pytest.mark.parametrize("day", ["2021-02-17", "2021-10-05", "2021-12-31"])
def test_a_day_shows_the_prices_of_its_row_in_order(day: str) -> None:
    [row] = [each for each in rows() if each["date"] == day]
    shown = strips().points.filter(session=date.fromisoformat(day))
    assert shown["price"].to_list() == [Decimal(row[f"NG{place:02}"]) for place in range(1, 37)]


def test_all_rolls_come_on_the_first_row_after_the_last_trade() -> None:
    _, calendar = reference()
    last_trade = dict(calendar.contracts.select("contract", "last_trade").iter_rows())
    fronts = (
        strips()
        .points.unique("session", keep="first", maintain_order=True)
        .select("session", code=pl.col("inputs").list[0])
    )
    pairs = list(fronts.iter_rows())
    rolls = [(one, two) for one, two in pairwise(pairs) if one[1] != two[1]]
    within = [(one, two) for one, two in rolls if two[0] - one[0] < timedelta(days=30)]  # not from 2019 to 2021
    assert len(within) == ROLLS
    for (before, front), (after, _) in within:
        assert before <= last_trade[front] < after


def test_the_roll_of_the_continuous_front_is_a_change_of_contract_and_no_move() -> None:
    days = strips().points.filter(pl.col("session").is_in([date(2021, 2, 24), date(2021, 2, 25)]))
    one, two = (days.filter(session=day) for day in days["session"].unique().sort())
    assert (one["inputs"].list[0][0], two["inputs"].list[0][0]) == ("NGH21", "NGJ21")
    before = dict(zip(one["inputs"].list[0], one["price"], strict=True))
    moves = [
        abs(price - before[code])
        for code, price in zip(two["inputs"].list[0], two["price"], strict=True)
        if code in before
    ]
    assert len(moves) == 35
    assert max(moves[1:]) < Decimal("0.1"), "the same contract a day later"


def test_means_of_quarters_are_those_of_their_months() -> None:
    curve, _ = reference()
    named = strips().points.with_columns(tenant=pl.lit("public"), curve=pl.lit(curve.curve))
    one = named.filter(session=date(2021, 2, 17))
    [first, *_] = of_pieces(curve, one, "quarter").to_dicts()
    months = one.filter(pl.col("start") >= first["start"], pl.col("end") <= first["end"])["price"]
    assert len(months) == 3
    assert abs(first["price"] - sum(months, Decimal(0)) / 3) <= Decimal("1e-12")


def test_the_definition_of_the_curve_has_no_problem() -> None:
    given = read((files("db.reference") / "data" / "curves.csv").read_bytes(), "curves")
    assert not given.problems
    assert reference()[0].curve == "henry_hub.futures"


@pytest.mark.parametrize("day", ["2021-02-17", "2021-10-05", "2021-12-31"])
def test_the_days_of_the_smooth_curve_average_to_every_settlement(day: str) -> None:
    curve, _ = reference()
    one = strips().points.filter(session=date.fromisoformat(day)).with_columns(
        tenant=pl.lit("public"), curve=pl.lit(curve.curve)
    )  # fmt: skip
    days = of_pieces(curve, one, "day")
    local = pl.col("start").dt.convert_time_zone(curve.zone).dt.truncate("1mo").dt.date()
    means = days.group_by(local.alias("month"), maintain_order=True).agg(pl.col("price").cast(pl.Float64).mean())
    wanted = one["price"].cast(pl.Float64)
    assert means.height == len(wanted) == 36
    assert ((means["price"] - wanted).abs() < 1e-9).all()
