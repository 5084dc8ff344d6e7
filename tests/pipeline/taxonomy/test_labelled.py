"""The rules that are shipped, measured by instruments that were labelled by hand."""

from decimal import Decimal

import polars as pl
import pytest

from pipeline import taxonomy
from pipeline.taxonomy.terms import ATTRIBUTES, COMMODITIES, TIERS
from tests.pipeline.taxonomy import tables

SURE = Decimal("0.80")
MARKETS = ("miso", "caiso", "ercot", "pjm", "nyiso", "henry_hub", "spread")
LABELS = pl.read_csv(tables.LABELLED, infer_schema=False)


@pytest.fixture(scope="module")
def judged() -> pl.DataFrame:
    """The labels, what was found as `found …`, whether it is `right` and whether it is `sure`."""
    found = taxonomy.classify(tables.instruments(LABELS), tables.own(), tables.DAY)
    beside = LABELS.hstack(found.select(pl.col(ATTRIBUTES).name.prefix("found "), "confidence", "reason"))
    right = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"found {name}")) for name in ATTRIBUTES)
    return beside.with_columns(right=right, sure=pl.col("confidence") >= SURE)


def test_the_set_is_large_and_of_every_market() -> None:
    assert LABELS.height >= 300
    assert LABELS.select("market", "instrument").is_unique().all()
    assert set(MARKETS) <= set(LABELS["market"])
    assert set(LABELS["commodity"].drop_nulls()) == COMMODITIES
    assert set(LABELS["tier"].drop_nulls()) == TIERS


def test_what_is_sure_is_right(judged: pl.DataFrame) -> None:
    sure = judged.filter("sure")
    wrong = sure.filter(~pl.col("right")).select("instrument", "reason").rows()
    assert len(wrong) * 100 <= sure.height, wrong


def test_what_is_unknown_is_unsure(judged: pl.DataFrame) -> None:
    unknown = pl.any_horizontal(pl.col(f"found {name}").is_null() for name in ATTRIBUTES)
    assert judged.filter(unknown).height > 20
    assert judged.filter(unknown & pl.col("sure"))["reason"].to_list() == []


def test_most_are_sure(judged: pl.DataFrame) -> None:
    """Nine of ten of all, though the set seeks out what is awkward; nearly all that documents bring."""
    documents = judged.filter(pl.col("location").is_not_null() & (pl.col("market") != "spread"))
    assert judged.filter("sure").height >= 0.9 * judged.height
    assert documents.filter("sure").height >= 0.99 * documents.height


def test_no_word_of_gas_makes_a_node_of_power_one_of_gas(judged: pl.DataFrame) -> None:
    documents = judged.filter(pl.col("location").is_not_null() & pl.col("market").is_in(MARKETS[:5]))
    assert documents.height > 250
    assert set(documents["found commodity"]) == {"power"}
