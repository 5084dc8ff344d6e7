"""PJM's stamps: UTC as published, Eastern time where nothing else is there, and the days on which the clock changes."""

from datetime import date, datetime

import pytest

from tests.pipeline.markets.nyiso_files import clock_changes, steps
from tests.pipeline.markets.pjm_files import (
    DA,
    FIVE,
    FIVES,
    HOUR,
    RT,
    Cells,
    answer,
    export,
    parse,
    problems,
    verified,
    without,
)

CHANGES = clock_changes(2015, 2030)
IDS = ("51217", "1")


def rows(instants: list[datetime], *dropped: str, side: str = "rt", **changes: str) -> list[Cells]:
    return [without(verified(at, side, pnode_id=place, **changes), *dropped) for at in instants for place in IDS]


def starts(data: bytes, name: str, place: str = "1") -> list[datetime]:
    read = parse(data, name)
    assert read.rejects.height == 0
    return read.ticks.filter(location=place)["start"].to_list()


@pytest.mark.parametrize("day", CHANGES, ids=str)
@pytest.mark.parametrize("dropped", ["", "datetime_beginning_ept", "datetime_beginning_utc"])
def test_hours_of_a_clock_change_are_one_to_one(day: date, dropped: str) -> None:
    instants = steps(day, HOUR)
    assert len(instants) in (23, 25)
    assert starts(export(*rows(instants, dropped, side="da")), DA) == instants
    assert starts(answer(*rows(instants, dropped), feed="rt_hrl_lmps"), "-") == instants


@pytest.mark.parametrize("day", CHANGES[-2:], ids=str)
@pytest.mark.parametrize("dropped", ["", "datetime_beginning_utc"])
def test_five_minutes_of_a_clock_change_are_one_to_one(day: date, dropped: str) -> None:
    instants = steps(day, FIVE)
    assert starts(export(*rows(instants, dropped)), FIVES) == instants


@pytest.mark.parametrize("day", CHANGES[-2:], ids=str)
def test_versions_of_a_repeated_hour_are_told_apart_by_eastern_time_too(day: date) -> None:
    instants = steps(day, HOUR)
    both = [
        without(verified(at, version_nbr=version), "datetime_beginning_utc")
        for at in instants
        for version in ("1", "2")
    ]
    read = parse(export(*both), RT)
    assert read.rejects.height == 0
    assert read.ticks.select("start", "version").rows() == [(at, version) for at in instants for version in (1, 2)]


def test_without_utc_a_repeated_hour_alone_is_in_doubt() -> None:
    row = without(verified(datetime_beginning_ept="11/3/2024 1:00:00 AM"), "datetime_beginning_utc")
    read = parse(export(row, without(verified(), "datetime_beginning_utc")), RT)
    assert problems(read) == [(1, "datetime_beginning_ept", "11/3/2024 1:00:00 AM")]
    assert "comes twice" in read.rejects["reason"][0]


def test_without_utc_an_hour_that_is_not_there_is_refused() -> None:
    row = without(verified(datetime_beginning_ept="3/10/2024 2:00:00 AM"), "datetime_beginning_utc")
    read = parse(export(row, without(verified(), "datetime_beginning_utc")), RT)
    assert problems(read) == [(1, "datetime_beginning_ept", "3/10/2024 2:00:00 AM")]


def test_both_hours_of_autumn_agree_with_their_eastern_stamp_and_no_other_does() -> None:
    first, second = steps(date(2024, 11, 3), HOUR)[1:3]
    swapped = verified(first) | {"datetime_beginning_ept": "11/3/2024 2:00:00 AM"}
    read = parse(export(verified(first), verified(second), swapped), RT)
    assert problems(read) == [(3, "datetime_beginning_ept", "11/3/2024 2:00:00 AM")]
    assert read.ticks["start"].to_list() == [first, second]
