"""Holidays by rule, against lists of days that exchanges and coordinators published."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline import holidays

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
TABLE = Path(holidays.__file__).parents[1] / "db" / "reference" / "data" / "holidays.csv"
NERC, NYMEX = (
    SHARED / "reference" / "nerc_holidays_2015_2030.csv",
    SHARED / "iso" / "gas" / "reference" / "holidays.csv",
)
STRIPS = SHARED / "iso" / "gas" / "henry_hub_strips"
needs_shared = pytest.mark.skipif(not NERC.is_file(), reason="the lists of holidays are not here (../shared/data)")

# Good Friday 2015 is not in the list, and Juneteenth, which was kept from 2022 on, only from 2024 on.
NOT_LISTED = {date(2015, 4, 3), date(2022, 6, 20), date(2023, 6, 19)}


def nerc_days(year: int) -> set[date]:
    return set(holidays.nerc(year))


def table(calendar: str) -> dict[date, str]:
    rows = pl.read_csv(TABLE, try_parse_dates=True).filter(calendar=calendar)
    return dict(rows.select("day", "name").iter_rows())


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2021, [(1, 1), (5, 31), (7, 5), (9, 6), (11, 25), (12, 25)]),  # Sunday 4 July moves, Saturday stays
        (2022, [(1, 1), (5, 30), (7, 4), (9, 5), (11, 24), (12, 26)]),
        (2026, [(1, 1), (5, 25), (7, 4), (9, 7), (11, 26), (12, 25)]),
    ],
)
def test_six_nerc_holidays_a_year(year: int, days: list[tuple[int, int]]) -> None:
    assert [(day.month, day.day) for day in holidays.nerc(year)] == days


@needs_shared
def test_nerc_holidays_are_the_published_ones() -> None:
    listed = pl.read_csv(NERC, try_parse_dates=True)["date"].to_list()
    assert sorted(holidays.between("nerc", 2015, 2030)) == listed


@needs_shared
def test_nymex_holidays_are_the_published_ones() -> None:
    """Line 143 of the list lacks its second cell, so that a strict reader refuses the day: it is Juneteenth 2025."""
    lines = NYMEX.read_text().splitlines()
    assert lines[142] == "2025-06-19"
    cells = [line.partition(",")[0] for line in lines[1:]]
    listed = {date.fromisoformat(cell) for cell in cells if cell}
    ruled = {day for day in holidays.between("nymex", 2009, 2025) if day >= min(listed)}
    assert ruled ^ listed == NOT_LISTED


@needs_shared
@pytest.mark.parametrize(
    ("name", "years"), [("ng_nearby_2018_2019.csv", (2018, 2019)), ("ng_nearby_2021.csv", (2021, 2021))]
)
def test_strips_settle_on_no_holiday_and_on_every_other_weekday(name: str, years: tuple[int, int]) -> None:
    strip = pl.read_csv(STRIPS / name, try_parse_dates=True, columns=["date", "NG01"]).drop_nulls("NG01")
    first, last = strip["date"][0], strip.sort("date")["date"][-1]
    weekdays = pl.date_range(first, last, "1d", eager=True)
    weekdays = set(weekdays.filter(weekdays.dt.weekday() < 6))
    assert weekdays - set(strip["date"]) == holidays.between("nymex", *years) & weekdays


@pytest.mark.parametrize(
    ("year", "day"),
    [(2008, date(2008, 3, 23)), (2019, date(2019, 4, 21)), (2025, date(2025, 4, 20)), (2038, date(2038, 4, 25))],
)
def test_easter(year: int, day: date) -> None:
    assert holidays.easter(year) == day


@pytest.mark.parametrize(("calendar", "first", "last"), [("nerc", 2015, 2038), ("nymex", 2003, 2038)])
def test_the_reference_table_holds_the_days_of_the_rule(calendar: str, first: int, last: int) -> None:
    ruled = [holidays.CALENDARS[calendar](year) for year in range(first, last + 1)]
    assert table(calendar) == {day: name for year in ruled for day, name in year.items()}
