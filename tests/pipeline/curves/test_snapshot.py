"""What a session's snapshot shows, by the words of docs/curves.md."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from db.clickhouse.ticks import PARSER_VERSION
from pipeline.curves.points import PointFlag
from pipeline.curves.snapshot import Built, build
from pipeline.flags import Flag
from tests.db.clickhouse.rows import publications
from tests.pipeline.curves.making import CALENDAR, CURVE, HOLIDAY, MONDAY, Row, at, chain, contract, generic, strip

TUESDAY, THURSDAY, FRIDAY = (MONDAY + timedelta(days=days) for days in (1, 3, 4))


def made(*rows: Row | list[Row]) -> Built:
    flat = [row for each in rows for row in (each if isinstance(each, list) else [each])]
    return build(CURVE, publications(flat), CALENDAR)


def shown(built: Built, session: date, role: str = "point") -> list[dict[str, Any]]:
    return built.points.filter(session=session, role=role).to_dicts()


def prices(built: Built, session: date) -> dict[str, tuple[str, str, int]]:
    return {row["inputs"][0]: (str(row["price"].normalize()), row["kind"], row["age"]) for row in shown(built, session)}


def head(built: Built, session: date) -> dict[str, Any]:
    [row] = built.heads.filter(session=session).to_dicts()
    return row


def test_positions_are_the_months_that_still_trade() -> None:
    built = made(strip(MONDAY, "3.1", "2.9"))
    first, second = shown(built, MONDAY)
    assert first["start"] == at(date(2026, 4, 1), 1), "midnight in Chicago"
    assert first["end"] == second["start"] == at(date(2026, 5, 1), 1)
    assert (first["product"], first["price"], first["kind"], first["inputs"]) == (
        "month",
        Decimal("3.1"),
        "settle",
        ["NGJ26"],
    )
    assert head(built, MONDAY)["at"] == at(MONDAY, 17)
    assert not head(built, MONDAY)["partial"]


def test_a_roll_is_no_market_move() -> None:
    last, after = date(2026, 3, 26), date(2026, 3, 27)
    built = made(strip(last, "3.1", "2.9"), strip(after, "2.9", "2.8"))
    assert prices(built, last)["NGK26"][0] == prices(built, after)["NGK26"][0] == "2.9"
    assert "NGJ26" not in prices(built, after)


def test_a_settlement_goes_before_a_trade_a_quote_and_a_last_price_whatever_their_time() -> None:
    late = at(MONDAY, 16)
    rows = [
        chain(late, "NGJ26", "4"),
        generic("NGJ26", at(MONDAY, 11), "3"),
        generic("NGJ26", at(MONDAY, 10), "2", volume=Decimal(1)),
    ]
    assert prices(made(rows[0]), MONDAY)["NGJ26"] == ("4", "last", 0)
    assert prices(made(*rows[:2]), MONDAY)["NGJ26"] == ("3", "quote", 0)
    assert prices(made(*rows), MONDAY)["NGJ26"] == ("2", "trade", 0)
    assert prices(made(*rows, strip(MONDAY, "1")), MONDAY)["NGJ26"] == ("1", "settle", 0)


def test_of_one_kind_the_newest_instant_stands_in_any_order_of_arrival() -> None:
    early, late = (generic("NGJ26", at(MONDAY, hour), str(hour), offset=20 - hour) for hour in (9, 14))
    assert prices(made(early, late), MONDAY) == prices(made(late, early), MONDAY) == {"NGJ26": ("14", "quote", 0)}


def test_an_older_price_is_shown_as_stale_up_to_the_greatest_age_and_never_alone() -> None:
    after = [MONDAY + timedelta(days=days) for days in (1, 3, 4, 7, 8, 9)]  # without the holiday and the weekend
    built = made(chain(at(MONDAY, 10), "NGK26", "5"), *(chain(at(day, 10), "NGJ26", "3") for day in after))
    found = [prices(built, day).get("NGK26") for day in after]
    assert found == [("5", "last", 1), ("5", "last", 2), ("5", "last", 3), ("5", "last", 4), ("5", "last", 5), None]
    assert [row["flags"] for row in shown(built, TUESDAY)] == [0, int(PointFlag.STALE)]
    assert made(chain(at(MONDAY, 10), "NGK26", "5")).heads["session"].to_list() == [MONDAY]


def test_a_contract_past_its_last_trade_is_refused_by_name() -> None:
    day = date(2026, 3, 27)
    built = made(chain(at(day, 10), "NGJ26", "9"), chain(at(day, 10), "NGK26", "3"))
    assert prices(built, day) == {"NGK26": ("3", "last", 0)}
    [dead] = shown(built, day, "rejected")
    assert (dead["inputs"], dead["price"], dead["reason"]) == (["NGJ26"], Decimal(9), "ceased to trade on 2026-03-26")


def test_what_names_no_contract_is_refused_beside_those_that_do() -> None:
    built = made(chain(at(MONDAY, 10), "NG=F", "9"), strip(MONDAY, *["3"] * 25))
    refused = shown(built, MONDAY, "rejected")
    reasons = {row["inputs"][0]: row["reason"] for row in refused}
    assert reasons["NG=F"] == "names no contract of the curve"
    assert reasons["NG25"] == "lies beyond the calendar of contracts"
    assert made(chain(at(MONDAY, 10), "NG=F", "9")).heads.is_empty()


def test_a_day_without_trading_has_no_curve() -> None:
    built = made(strip(HOLIDAY, "3.1"), strip(MONDAY + timedelta(days=5), "3"), chain(at(HOLIDAY, 10), "NGK26", "2"))
    assert built.heads["session"].to_list() == [THURSDAY], "what is dated on a holiday belongs to the day after"
    assert prices(built, THURSDAY) == {"NGK26": ("2", "last", 0)}


@pytest.mark.parametrize(
    ("codes", "partial"), [(["NGJ26", "NGK26"], False), (["NGK26"], True), (["NGJ26", "NGM26"], True)]
)
def test_a_curve_without_its_front_or_with_a_gap_is_partial(codes: list[str], partial: bool) -> None:
    built = made(*(chain(at(MONDAY, 10), code, "3") for code in codes))
    assert head(built, MONDAY)["partial"] is partial


def test_a_correction_makes_a_version_and_what_says_the_same_makes_none() -> None:
    first, again, other = (strip(MONDAY, "3.1", price, offset=offset) for offset, price in enumerate(("2", "2", "2.5")))
    assert head(made(first), MONDAY)["version"] == 0
    built = made(first, again, other)
    assert head(built, MONDAY)["version"] == 1
    assert head(built, MONDAY)["known_at"] == other[0]["known_at"]
    assert head(built, MONDAY)["first_known"] == first[0]["known_at"]
    assert head(made(first, again), MONDAY)["known_at"] == first[0]["known_at"]


def test_a_lower_version_that_comes_later_changes_nothing() -> None:
    built = made(strip(MONDAY, "3.1", version=2), strip(MONDAY, "9", version=1, offset=1))
    assert prices(built, MONDAY)["NGJ26"][0] == "3.1"
    assert head(built, MONDAY)["version"] == 0


def test_a_negative_price_is_a_price_and_says_so() -> None:
    [row] = shown(made(strip(MONDAY, "-2.7")), MONDAY)
    assert (row["price"], row["flags"]) == (Decimal("-2.7"), int(PointFlag.NEGATIVE))


def test_the_instant_is_that_of_the_newest_own_price_before_the_close() -> None:
    built = made(chain(at(MONDAY, 10), "NGJ26", "3"), chain(at(MONDAY, 15), "NGK26", "3"))
    assert head(built, MONDAY)["at"] == at(MONDAY, 15)


def test_sessions_that_are_asked_for_are_those_of_the_whole() -> None:
    rows = [*strip(MONDAY, "3"), *strip(TUESDAY, "4", offset=1), *strip(THURSDAY, "5", offset=2)]
    whole = build(CURVE, publications(rows), CALENDAR)
    part = build(CURVE, publications(rows), CALENDAR, [TUESDAY, HOLIDAY])
    assert part.points.equals(whole.points.filter(session=TUESDAY))
    assert part.heads.equals(whole.heads.filter(session=TUESDAY))


def test_a_contract_without_a_calendar_trades_until_its_delivery_begins() -> None:
    alone = type(CALENDAR)(CALENDAR.contracts.clear(), CALENDAR.holidays)
    day = date(2026, 3, 31)
    rows = publications([chain(at(each, 10), "NGJ26", "3") for each in (day, day + timedelta(days=1))])
    built = build(CURVE, rows, alone)
    assert built.heads["session"].to_list() == [day]
    assert contract(2026, 4)["contract"] == "NGJ26"


def test_a_withdrawn_price_is_seen_too() -> None:
    """Else a computation that has not seen the withdrawal would stand beside one that has."""
    rows = strip(MONDAY, "3.1", "2.9")
    withdrawn = {
        **rows[1],
        "flags": int(Flag.ADVISORY),
        "offset": 9,
        "known_at": rows[1]["known_at"] + timedelta(hours=1),
    }
    before, after = build(CURVE, publications(rows), CALENDAR), build(CURVE, publications([*rows, withdrawn]), CALENDAR)
    assert before.points.equals(after.points), "an unusable price takes none back"
    assert after.heads["seen"].item() == before.heads["seen"].item() + PARSER_VERSION
    again = build(CURVE, publications(rows, PARSER_VERSION + 1), CALENDAR)
    assert again.heads["seen"].item() == before.heads["seen"].item() + len(rows)
