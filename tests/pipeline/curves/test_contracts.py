from datetime import date

import polars as pl
import pytest

from pipeline.curves.contracts import named, nearby, positions
from tests.pipeline.curves.making import CALENDAR, CURVE, contract

CONTRACTS = CALENDAR.of(CURVE)


@pytest.mark.parametrize(
    ("code", "start", "end"),
    [
        ("NGU31", date(2031, 9, 1), date(2031, 10, 1)),
        ("NG-Z30", date(2030, 12, 1), date(2031, 1, 1)),
        ("NG-Q4-30", date(2030, 10, 1), date(2031, 1, 1)),
        ("NGCAL-30", date(2030, 1, 1), date(2031, 1, 1)),
        ("NG-SUM-30", date(2030, 4, 1), date(2030, 11, 1)),
        ("NG-WIN-30", date(2030, 11, 1), date(2031, 4, 1)),
    ],
)
def test_a_code_of_the_grammar_names_its_delivery(code: str, start: date, end: date) -> None:
    assert named(pl.Series([code]), "NG", CONTRACTS).row(0) == (code, code, start, end, None)


@pytest.mark.parametrize("code", ["NG01", "NGA30", "NGU2030", "NG-Q5-30", "SPRING", "U30", "CAL-30", "NG=F", "NGCAL30"])
def test_any_other_code_names_none(code: str) -> None:
    assert named(pl.Series([code]), "NG", CONTRACTS).row(0) == (code, None, None, None, None)


def test_the_calendar_goes_before_the_grammar() -> None:
    odd = contract(2026, 5, date(2026, 4, 2)) | {"delivery_start": date(2026, 5, 3)}
    table = pl.DataFrame([odd]).select(CONTRACTS.columns)
    assert named(pl.Series(["NGK26"]), "NG", table).row(0)[2:] == (date(2026, 5, 3), date(2026, 6, 1), date(2026, 4, 2))


def test_without_a_root_a_code_is_the_letter_or_the_period() -> None:
    found = named(pl.Series(["F30", "Q1-30", "NGF30"]), None, CONTRACTS.clear()).sort("code")
    assert found["delivery_start"].to_list() == [date(2030, 1, 1), None, date(2030, 1, 1)]


def test_a_position_is_a_code_of_the_root_and_two_digits() -> None:
    codes = pl.Series(["NG01", "NG36", "NGF26", "XNG01", "NG1", None])
    assert positions(codes, "NG").to_list() == [1, 36, None, None, None, None]


def test_the_front_is_the_expiring_month_to_its_last_trade_and_the_next_one_after() -> None:
    days = [date(2026, 3, 26), date(2026, 3, 27), date(2026, 3, 27), date(2026, 3, 27)]
    asked = pl.DataFrame({"day": days, "position": [1, 1, 2, 21]})
    assert nearby(asked, CONTRACTS)["contract"].to_list() == ["NGJ26", "NGK26", "NGM26", None]


def test_no_position_is_counted_before_the_calendar_begins() -> None:
    first = CONTRACTS["last_trade"][0]
    asked = pl.DataFrame({"day": [first, date(2026, 1, 5)], "position": [1, 1]})
    assert nearby(asked, CONTRACTS)["contract"].to_list() == [None, "NGG26"]


def test_a_tenant_own_contract_goes_before_the_public_one() -> None:
    own = pl.DataFrame([contract(2026, 5, date(2026, 4, 2)) | {"tenant": "acme"}])
    mixed = type(CALENDAR)(pl.concat([CALENDAR.contracts, own]), CALENDAR.holidays)
    assert mixed.of(CURVE).equals(CONTRACTS), "the public curve does not see it"
