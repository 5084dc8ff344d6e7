"""Last days of trading: the rules against the dates of real contracts, and those against the prices of the strips."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from pipeline import holidays, trading

ROOT = Path(trading.__file__).parents[1]
TABLE = ROOT / "db" / "reference" / "data" / "contracts.csv"
GAS = ROOT.parent / "shared" / "data" / "iso" / "gas"
LISTED = GAS / "reference" / "expiry_table_ng_pjm.csv"
needs_shared = pytest.mark.skipif(not LISTED.is_file(), reason="the list of contracts is not here (../shared/data)")

FREE = holidays.between("nymex", 2002, 2040)
MISSED = {"NGZ04", "NGF05", "NGZ08", "NGZ09", "NGZ10", "NGF11"}


def contracts(root: str) -> pl.DataFrame:
    return pl.read_csv(TABLE, try_parse_dates=True).filter(root=root)


def test_the_rule_misses_six_contracts_of_henry_hub_by_a_business_day() -> None:
    table = contracts("NG")
    missed = {
        code: ended
        for code, start, ended in table.select("contract", "delivery_start", "last_trade").iter_rows()
        if ended != trading.last_trade_ng(start, FREE)
    }
    assert missed.keys() == MISSED
    starts = dict(table.select("contract", "delivery_start").iter_rows())
    assert all(trading.business_day_before(starts[code], 4, FREE) == ended for code, ended in missed.items())


@needs_shared
def test_the_table_holds_the_listed_dates() -> None:
    names = {"Last.Trade": "last_trade", "First.Notice": "first_notice", "First.Delivery": "delivery_start"}
    listed = pl.read_csv(LISTED, try_parse_dates=True).filter(pl.col("tick.prefix") == "NG").rename(names)
    found = contracts("NG").filter(pl.col("source").str.starts_with("listed: "))
    wanted = listed.select(*names.values(), delivery_end=pl.col("Last.Delivery").dt.offset_by("1d"))
    assert found.select(wanted.columns).equals(wanted)
    assert wanted.height == 299


def test_months_follow_one_another_without_gaps() -> None:
    for root, first, last in (("NG", date(2003, 1, 1), 2038), ("PMJ", date(2018, 1, 1), 2038)):
        table = contracts(root)
        assert table["delivery_start"][0] == first
        assert table["delivery_end"][-1] == date(last + 1, 1, 1)
        assert table["delivery_start"][1:].to_list() == table["delivery_end"][:-1].to_list()
        assert table["last_trade"].is_sorted()
        assert table["contract"].is_unique().all()


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("PMJF24", date(2024, 1, 31)),
        ("PMJH24", date(2024, 3, 28)),  # the 29th is Good Friday
        ("PMJK27", date(2027, 5, 28)),  # the 31st is Memorial Day
        ("PMJX25", date(2025, 11, 28)),
    ],
)
def test_a_peak_month_trades_to_its_last_business_day(code: str, ended: date) -> None:
    [row] = contracts("PMJ").filter(contract=code).to_dicts()
    assert (row["last_trade"], row["block"], row["first_notice"]) == (ended, "peak", None)


@needs_shared
@pytest.mark.parametrize(("name", "years"), [("ng_nearby_2018_2019.csv", 2), ("ng_nearby_2021.csv", 1)])
def test_the_nearest_position_rolls_after_the_last_day_of_trading(name: str, years: int) -> None:
    """On a roll all positions move up: yesterday's second one is nearer to today's first than yesterday's first."""
    strip = pl.read_csv(GAS / "henry_hub_strips" / name, try_parse_dates=True).drop_nulls("NG01").sort("date")
    positions = [f"NG{number:02}" for number in range(1, 25)]
    kept = pl.sum_horizontal((pl.col(each) - pl.col(each).shift()).abs() for each in positions[:-1])
    moved = pl.sum_horizontal((pl.col(each) - pl.col(after).shift()).abs() for each, after in pairwise(positions))
    days = strip.with_columns(before=pl.col("date").shift(), rolled=moved < kept).filter("rolled")
    ended = contracts("NG").filter(pl.col("last_trade").is_between(strip["date"].min(), strip["date"].max()))
    rolls = ended.filter(pl.col("last_trade") < strip["date"].max())["last_trade"].to_list()
    assert days["before"].to_list() == rolls
    assert len(rolls) >= 12 * years - 1
