"""The demo day: deterministic, readable by the parser, with everything that a day can bring."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from local import demo, demo_markets
from local.documents import ercot, miso, nyiso, pjm
from pipeline import members, products
from pipeline.envelope import RawBatch
from pipeline.flags import Flag
from pipeline.normalize import Normalized, normalize

DAY = date(2026, 11, 1)  # 25 hours
BEGIN = datetime(2026, 11, 1, 7, tzinfo=UTC)
DAY_BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Of the documents that come every five minutes those of every half hour are read.
FIVES = {b"miso.rt_5min", b"ercot.sced", b"pjm.rt_5min", b"nyiso.rt_5min"}


@pytest.fixture(scope="module")
def morning() -> list[demo.Sending]:
    every = timedelta(minutes=1)
    return list(demo.messages(DAY, BEGIN, BEGIN + timedelta(hours=14, minutes=1), every))


@pytest.fixture(scope="module")
def read(morning: list[demo.Sending]) -> Normalized:
    return as_read([each for each in morning if each.key not in FIVES or each.at.minute % 30 == 0])


def as_read(sent: list[demo.Sending]) -> Normalized:
    known = [int(each.at.timestamp() * 1_000_000) for each in sent]
    return normalize(RawBatch("topic", 0, list(range(len(sent))), known, [each.value for each in sent]), "public")


def test_any_cut_of_the_day_gives_the_same_messages(morning: list[demo.Sending]) -> None:
    cuts = [BEGIN, BEGIN + timedelta(seconds=7), BEGIN + timedelta(minutes=15), BEGIN + timedelta(hours=1)]
    pieces = [each for a, b in pairwise(cuts) for each in demo.messages(DAY, a, b, timedelta(minutes=1))]
    assert pieces == morning[: len(pieces)]
    assert [each.at for each in morning] == sorted(each.at for each in morning)


def test_five_minutes_come_all_the_time(morning: list[demo.Sending]) -> None:
    sent = Counter(each.key for each in morning)
    assert {sent[key] for key in FIVES - {b"nyiso.rt_5min"}} == {14 * 12 + 1}
    assert sent[b"nyiso.rt_5min"] >= 12 * 12


def test_the_parsers_read_it(read: Normalized) -> None:
    found = dict(
        read.ticks.select(pl.format("{}.{}", "market", "product").alias("what"), "ts", "price")
        .group_by("what")
        .len()
        .iter_rows()
    )
    quarters, halves, nodes = 14 * 4 + 1, 14 * 2 + 1, len(demo_markets.NODES)
    assert found["caiso.da_hourly"] == (25 + 24) * nodes
    assert found["caiso.rt_15min"] == quarters * nodes
    assert found["caiso.rt_5min"] > (14 * 12 + 1) * nodes, "duplicates and corrections come on top"
    assert found["miso.da_hourly"] == (24 + 24) * len(miso.HUBS)
    assert found["miso.rt_5min"] == halves * len(miso.HUBS)
    assert found["ercot.da_hourly"] == (25 + 24) * len(ercot.POINTS)
    assert found["ercot.rt_sced"] == halves * len(ercot.POINTS)
    assert found["ercot.rt_15min"] == quarters * (len(ercot.POINTS) + 8), "load zones stand for two points"
    assert found["pjm.da_hourly"] == (25 + 24) * len(pjm.HUBS)
    assert found["pjm.rt_5min"] == halves * len(pjm.HUBS)
    assert found["pjm.rt_hourly"] == 15 * len(pjm.HUBS)
    assert found["nyiso.da_hourly"] == (25 + 24) * len(nyiso.ZONES)
    assert found["nyiso.rt_hourly"] == sum(range(3, 18)) * len(nyiso.ZONES), "the hours so far, every hour"
    assert found["nyiso.rt_5min"] >= 12 * 2 * len(nyiso.ZONES)


def gas_of(sent: Iterable[demo.Sending]) -> list[demo.Sending]:
    return [each for each in sent if each.key.startswith(b"henry_hub.")]


def test_gas_is_quoted_on_trading_days_and_settled_as_they_end(morning: list[demo.Sending]) -> None:
    """Monday, November 2, 2026; the day before is a Sunday. December is in front until the 25th.

    From before the floor opens (nine in New York) to after it has closed.
    """
    begin, five = datetime(2026, 11, 2, 8, tzinfo=UTC), timedelta(minutes=5)
    assert gas_of(morning) == []
    assert gas_of(demo.messages(DAY, BEGIN + 14 * HOUR, BEGIN + 17 * HOUR, five)) == []
    monday = gas_of(demo.messages(date(2026, 11, 2), begin + 5 * HOUR, begin + 15 * HOUR, five))
    read = as_read([*demo.gas(date(2026, 11, 2), begin), *monday])
    assert read.rejects.is_empty()
    ticks = read.ticks.filter(pl.col("start") >= begin.replace(hour=0))
    counts = dict(ticks.group_by("location_type").len().iter_rows())
    assert counts == {"future": 9 * (36 - 4), "nearby": 36, "hub": 1}, "four contracts were quoted days before"
    old = read.ticks.filter(pl.col("location_type") == "future").join(ticks, on="row", how="anti")
    assert old.group_by("location").agg(pl.col("ts", "price").n_unique()).select("ts", "price").unique().rows() == [
        (1, 1)
    ]
    assert "NGZ26" in ticks["location"]
    assert "NGX26" not in ticks["location"], "it is over"


def test_the_parts_of_every_price_add_up(read: Normalized) -> None:
    parts = read.ticks.filter(pl.col("energy").is_not_null()).with_columns(pl.col("ghg").fill_null(0))
    assert set(parts["market"]) == {"caiso", "miso", "pjm", "nyiso"}
    assert (parts.select("energy", "congestion", "loss", "ghg").sum_horizontal() == parts["price"]).all()
    assert (parts["flags"] & Flag.COMPONENT_MISMATCH).max() == 0


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 20), 23), (date(2026, 11, 20), 25)])
def test_the_last_day_of_daylight_saving_comes_first(day: date, hours: int) -> None:
    found = as_read(list(demo.daylight(day, BEGIN)))
    assert found.rejects.is_empty()
    counts = found.ticks.group_by("market", "product").agg(pl.col("ts").n_unique())
    of_clock = [("pjm", "rt_hourly"), ("nyiso", "rt_hourly")]
    of_clock += [(market, "da_hourly") for market in ("caiso", "ercot", "nyiso", "pjm")]
    of_miso = {("miso", "da_hourly"): 24, ("miso", "rt_hourly"): 24}
    expected = of_miso | dict.fromkeys(of_clock, hours)
    assert {(market, product): count for market, product, count in counts.iter_rows()} == expected
    assert demo.clock_change(day).month == (3 if hours == 23 else 11)


@pytest.mark.parametrize(("at", "hours"), [(5, [4]), (6, []), (7, [4, 5, 6])])
def test_of_two_hours_of_one_name_the_first_waits_for_the_second(at: int, hours: list[int]) -> None:
    """01:00 in New York comes at 5:00 and at 6:00 UTC."""
    now = DAY_BEGIN + timedelta(hours=at)
    sent = [each for each in demo_markets.documents(now, BEGIN, DAY) if (each.market, each.kind) == ("nyiso", "rt")]
    starts = [members.read(each.content, each.name).ticks["start"].unique().sort().to_list() for each in sent]
    assert starts == ([[DAY_BEGIN + timedelta(hours=hour) for hour in hours]] if hours else [])


@pytest.mark.parametrize("market", ["caiso", "ercot", "miso", "nyiso", "pjm"])
def test_the_next_day_comes_before_it_is_due(market: str, morning: list[demo.Sending], read: Normalized) -> None:
    zone = ZoneInfo(products.market(market).zone)
    following = datetime.combine(DAY + timedelta(days=1), datetime.min.time(), zone).astimezone(UTC)
    ticks = read.ticks.filter(pl.col("start") >= following, market=market, product="da_hourly")
    assert ticks.select(pl.col("known_at").max()).item() <= following + products.product(market, "da_hourly").due


def test_it_brings_what_a_day_brings(morning: list[demo.Sending], read: Normalized) -> None:
    caiso = read.ticks.filter(market="caiso")
    assert (caiso["price"] < 0).any()
    assert (caiso["price"] > 150).any(), "a spike"
    seen = caiso.filter(product="rt_5min").group_by("instrument", "ts")
    assert seen.len().filter(pl.col("len") > 1).height > 0, "sent again"
    assert seen.n_unique().filter(pl.col("price") > 1).height > 0, "corrected"
    refused = dict(read.rejects.group_by("field").len().iter_rows())
    assert refused["payload.raw_data.price"] == 28
    assert "ERR_CODE" in refused
    assert read.rejects.height < 0.01 * len(morning), "far below what stops the bridge"
    delays = read.ticks.filter(product="tick").select(delay=pl.col("known_at") - pl.col("ts"))
    assert delays.filter(pl.col("delay") > timedelta(minutes=1)).height > 0, "late"


def test_the_instrument_of_the_examples_has_plausible_prices(read: Normalized) -> None:
    ticks = read.ticks
    balmo = ticks.filter(instrument="NG_HH_BALMO")
    assert balmo.select("market", "product").unique().rows() == [("henry_hub", "tick")]
    assert balmo["price"].is_between(Decimal("2.9"), Decimal("3.2")).all()
    assert (balmo["bid"] < balmo["ask"]).all()
    others = ticks.filter(pl.col("product") == "tick", pl.col("instrument") != "NG_HH_BALMO")
    assert (others["price"] < 0).any()
    assert (others.filter(market="demo_gas")["price"] > 20).any(), "a spike"
