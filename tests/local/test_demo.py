"""The demo day: deterministic, readable by the parser, with everything that a day can bring."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest

from local import demo
from pipeline.envelope import RawBatch
from pipeline.normalize import Normalized, normalize

DAY = date(2026, 11, 1)  # 25 hours
BEGIN = datetime(2026, 11, 1, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def morning() -> list[demo.Sending]:
    every = timedelta(minutes=1)
    return list(demo.messages(DAY, BEGIN, BEGIN + timedelta(hours=14, minutes=1), every))


@pytest.fixture(scope="module")
def read(morning: list[demo.Sending]) -> Normalized:
    known = [int(each.at.timestamp() * 1_000_000) for each in morning]
    batch = RawBatch("topic", 0, list(range(len(morning))), known, [each.value for each in morning])
    return normalize(batch, "public")


def test_any_cut_of_the_day_gives_the_same_messages(morning: list[demo.Sending]) -> None:
    cuts = [BEGIN, BEGIN + timedelta(seconds=7), BEGIN + timedelta(minutes=15), BEGIN + timedelta(hours=1)]
    pieces = [each for a, b in pairwise(cuts) for each in demo.messages(DAY, a, b, timedelta(minutes=1))]
    assert pieces == morning[: len(pieces)]
    assert [each.at for each in morning] == sorted(each.at for each in morning)


def test_the_parser_reads_it(read: Normalized) -> None:
    counts = dict(read.ticks.group_by("product").len().iter_rows())
    assert counts["da_hourly"] == (25 + 24) * len(demo.NODES)
    assert read.ticks.filter(product="da_hourly")["ts"].n_unique() == 49
    assert counts["rt_15min"] == (14 * 4 + 1) * len(demo.NODES)
    assert counts["rt_5min"] > (14 * 12 + 1) * len(demo.NODES), "duplicates and corrections come on top"
    components = read.ticks.filter(market="caiso").select("energy", "congestion", "loss", "ghg").sum_horizontal()
    assert (components == read.ticks.filter(market="caiso")["price"]).all()


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
