"""CSV files of reference data: read exactly, or refused with every problem, its line, column, value and fix."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from db.reference import own
from pipeline.errors import DataProcessingError
from pipeline.reference import checks, reading
from pipeline.reference.changes import applied, changes
from pipeline.reference.problems import Problem
from pipeline.reference.reading import MOST, Given, read, require_good
from pipeline.reference.tables import TABLES
from pipeline.reference.writing import to_csv

CONTRACTS = "market,contract,delivery_start,delivery_end,last_trade,size,tick,source\n"
FACTS = "instrument,valid_from,valid_to,commodity,confirmed,source\n"
FILES = sorted(own.DATA.glob("*.csv"))


def problems(content: str | bytes, table: str | None = None, tenant: str | None = None) -> list[str]:
    found = read(content.encode() if isinstance(content, str) else content, table, tenant)
    return [str(each) for each in found.problems]


def contracts(*rows: str) -> Given:
    return read((CONTRACTS + "".join(f"{row}\n" for row in rows)).encode())


def test_cells_become_values_and_empty_ones_null() -> None:
    found = contracts(
        "henry_hub,NGF27,2027-01-01,2027-02-01,2026-12-29,10000,0.001,NYMEX", "pjm,X,2027-01-01,2027-02-01,,,,s"
    )
    require_good(found)
    assert found.table.name == "contracts"
    assert found.rows.schema == TABLES["contracts"].schema
    first, second = found.rows.rows(named=True)
    assert first["tenant"] == "public"
    assert (first["delivery_start"], first["size"], first["tick"]) == (
        date(2027, 1, 1), Decimal(10_000), Decimal("0.001"),
    )  # fmt: skip
    assert (second["last_trade"], second["tick"], second["root"]) == (None, None, None)


def test_every_problem_of_a_file_is_told_with_its_line() -> None:
    content = CONTRACTS + (
        "henry_hub,NGF27,2027-13-01,2027-02-01,,1e3,0.0000000001,s\n"
        '"henry\nhub",,2027-01-01,2027-02-01,,-1,0,s\n'
        "pjm,A,2027-02-01,2027-01-01,,,,s\n"
    )
    assert problems(content) == [
        "line 2, delivery_start: '2027-13-01' is no date. Write it as 2026-07-01.",
        "line 2, size: '1e3' is no number. Write digits and a point, e.g. 0.001.",
        "line 2, tick: '0.0000000001' does not fit: 9 decimals, below 1000000000.",
        "line 4, contract: is empty, and it is needed.",
        "line 4, size: '-1' lies below 0.",
    ]
    assert problems(CONTRACTS + "pjm,A,2027-02-01,2027-01-01,,0,,s\n") == [
        "line 2, delivery_end: '2027-01-01' does not come after delivery_start 2027-02-01.",
        "line 2, size: '0' must be above 0.",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("market,contract\n", "of no table"),
        ("a,b\n", "of no table"),
        ("", "of no table"),
    ],
)
def test_a_header_that_is_of_no_table_is_refused(content: str, told: str) -> None:
    with pytest.raises(DataProcessingError, match=told):
        read(content.encode())
    with pytest.raises(DataProcessingError, match="no table nothing"):
        read(content.encode(), "nothing")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("calendar,day,name,source,more\n", "line 1, more: is no column of holidays."),
        ("calendar,day,source\n", "line 1, name: is a column that holidays needs."),
        ("calendar,day,day,name,source\n", "line 1, day: is a column twice."),
        ("calendar,day,name,source\nnerc,2026-01-01,a,b,c\n", "line 2, file: has 5 cells, and the header 4."),
        ('calendar,day,name,source\nnerc,"2026\n', "file: is no CSV from here on"),
        (b"calendar,day,name,source\nnerc,2026-01-01,\xff,s\n", "line 2, file: holds bytes that are no UTF-8."),
        ("calendar,day,name,source\nxmas,2026-01-01,a,s\n", "calendar: 'xmas' is not one of nerc, nymex."),
        ("calendar,day,name,source\nnerc,2026-01-01,a,s\nnerc,2026-01-01,b,s\n", "line 3, calendar: 'nerc 2026-01-01'"),
    ],
)
def test_a_file_that_cannot_be_its_table(content: str | bytes, told: str) -> None:
    assert any(told in each for each in problems(content, "holidays")), problems(content, "holidays")


def test_validities_of_one_key_may_touch_and_not_overlap() -> None:
    touching = FACTS + "X,,2026-01-01,power,true,s\nX,2026-01-01,,gas,false,s\nY,,,power,true,s\n"
    assert problems(touching) == []
    [told] = problems(FACTS + "X,2025-12-31,,gas,true,s\nX,,2026-01-01,power,true,s\n")
    assert told == ("line 2, instrument: 'X' from 2025-12-31 on overlaps the row of line 3. Give that one a valid_to.")
    assert len(problems(FACTS + "X,,,gas,true,s\nX,,,power,true,s\n")) == 1


def test_whose_rows_they_are() -> None:
    rows = "tenant," + FACTS + "acme,X,,,power,true,s\n,Y,,,power,true,s\n"
    assert read(rows.encode()).rows["tenant"].to_list() == ["acme", "public"]
    assert read((FACTS + "X,,,power,true,s\n").encode(), tenant="acme").rows["tenant"].to_list() == ["acme"]
    assert problems(rows, tenant="acme") == ["line 3, tenant: 'public' is another tenant than acme, who is named."]
    [told] = problems(FACTS + "X,,,power,true,s\n", tenant="a b")
    assert told.startswith("line 2, tenant: 'a b' is no name of a tenant")


def test_what_tables_know_of_their_rows_is_asked() -> None:
    rule = "rule,priority,field,match,text,commodity,source\nr,1,name,pattern,([,power,s\n"
    assert [each for each in problems(rule) if "line 2, text: '([' is no pattern" in each]
    spread = "spread,zone,unit,formula,legs,source\ndart.x,UTC,USD/MWh,f,[],s\n"
    assert [each for each in problems(spread) if each.startswith("line 2, legs: ")]


def test_zones_and_bounds_are_those_of_the_column() -> None:
    fact = "instrument,confirmed,zone,source\nX,true,Mars/Phobos,s\n"
    assert problems(fact) == [
        "line 2, zone: 'Mars/Phobos' is no time zone. Write a name such as America/New_York or UTC."
    ]
    curve = "curve,market,product,name,zone,unit,block,granularity,tick,session_zone,session_end,max_age,source\n"
    row = "c,m,futures,n,UTC,USD,atc,month,0.001,UTC,17:00,401,s\n"
    most = TABLES["curves"].columns["max_age"].high
    assert problems(curve + row) == [f"line 2, max_age: '401' lies above {most}."]
    [told] = problems(curve + row.replace("401", "5").replace("atc", "peak"))
    assert told == "line 2, block: 'peak' is no block of m. Write one of atc."


@pytest.mark.parametrize(
    "row",
    ["nerc,2026-01-01", "xmas,2026-01-01,a,s", "nerc,1-1-26,,s", "a b,nerc,2026-01-01,a,s", "nerc,2026-01-01,a,s"],
    ids=["torn", "cell", "two cells", "tenant", "key"],
)
def test_of_a_file_that_is_wrong_everywhere_the_first_problems_are_told(row: str) -> None:
    header = ("tenant," if row.startswith("a b") else "") + "calendar,day,name,source\n"
    found = problems(header + f"{row}\n" * (MOST + 2), "holidays")
    assert len(found) == MOST + 1
    assert all(each.startswith("line ") for each in found[:-1])
    assert found[-1] == "file: has more problems than these 1000. Mend these first, then try it again."
    assert problems(header + f"{row}\n" * 500, "holidays")[-1].startswith("line 501, ")


def test_what_is_wrong_is_not_looked_for_beyond_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Problem] = []

    def counted(*given: Any) -> Problem:
        made.append(Problem(*given))
        return made[-1]

    for module in (checks, reading):
        monkeypatch.setattr(module, "Problem", counted)
    content = "calendar,day,name,source\n"
    for row in ("nerc,2026-01-01\n", "xmas,1-1-26,,s\n", "nerc,2026-01-01,a,s\n"):
        made.clear()
        problems(content + row * (3 * MOST), "holidays")
        assert len(made) <= MOST + 2


@pytest.mark.parametrize("day", ["0001-01-01", "1989-12-31", "2101-01-01", "9999-12-31"])
def test_days_of_which_no_price_can_be_are_refused(day: str) -> None:
    [told] = problems(f"calendar,day,name,source\nnerc,{day},a,s\n", "holidays")
    wanted = "lies outside 1990-01-01 to 2100-12-31. Leave the cell empty where there is no bound."
    assert told == f"line 2, day: {day!r} {wanted}"


def test_a_delivery_has_so_many_days() -> None:
    assert not contracts("m,A,2027-01-01,2037-12-14,,,,s").problems
    [told] = contracts("m,A,2027-01-01,2037-12-15,,,,s").problems
    assert str(told) == "line 2, delivery_end: '2037-12-15' gives 4001 days; 4000 are allowed."


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_what_comes_with_the_program_is_good_and_written_as_it_is_read(path: Path) -> None:
    found = own.read(path)
    assert found.table.name == path.stem
    again = read(to_csv(found.table, found.rows), path.stem)
    assert again.rows.equals(found.rows.sort("tenant", *found.table.key))
    assert path.read_text(encoding="utf-8").split("\n", 1)[0] == ",".join(found.table.columns)


def test_every_table_comes_with_the_program_but_facts() -> None:
    assert {path.stem for path in FILES} == TABLES.keys() - {"instrument_facts"}


def test_what_a_file_changes() -> None:
    there = contracts("m,A,2027-01-01,2027-02-01,,1,1,s", "m,B,2027-01-01,2027-02-01,,,,s").rows
    given = contracts("m,B,2027-01-01,2027-02-01,,,,t", "m,C,2027-01-01,2027-02-01,,,,s").rows
    found = changes(TABLES["contracts"], there, given, replace=False)
    names = [frame["contract"].to_list() for frame in (found.added, found.before, found.after, found.removed)]
    assert names == [["C"], ["B"], ["B"], []]
    assert found.number == 2
    assert applied(there, found).sort("contract")["source"].to_list() == ["s", "t", "s"]
    whole = changes(TABLES["contracts"], there, given, replace=True)
    assert whole.removed["contract"].to_list() == ["A"]
    assert applied(there, whole).sort("contract").equals(given)
    assert changes(TABLES["contracts"], there, there, replace=True).number == 0
    assert isinstance(there, pl.DataFrame)
