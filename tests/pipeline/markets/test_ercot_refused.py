"""What of ERCOT's reports is refused: rows alone, or the whole."""

import csv
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.documents import Document
from pipeline.errors import DataProcessingError
from pipeline.markets import ercot
from tests.pipeline.markets.ercot_files import (
    API_DAY_AHEAD,
    API_SCED,
    DAM_CORRECTED,
    DAY_AHEAD,
    DAY_ROW,
    QUARTER_ROW,
    QUARTERS,
    RUN_ROW,
    SCED,
    answer,
    central,
    parse,
    problems,
    report,
)  # fmt: skip

D = Decimal


NINE = central("2024-06-01T09:00")


@pytest.mark.parametrize(
    ("header", "row", "field", "word"),
    [
        (DAY_AHEAD, "03/10/2024,03:00,A,1,N", "HourEnding", "the clock goes forward"),
        (DAY_AHEAD, "06/01/2024,02:00,A,1,Y", "HourEnding", "comes once on that day, but its flag"),
        (DAY_AHEAD, "11/03/2024,03:00,A,1,Y", "HourEnding", "comes once"),
        (DAY_AHEAD, "11/03/2024,02:00,A,1,", "HourEnding", "comes twice on that day and no flag"),
        (DAY_AHEAD, "06/01/2024,02:00,A,1,J", "DSTFlag", "is no flag"),
        (DAY_AHEAD, "06/01/2024,00:00,A,1,N", "HourEnding", "is no hour ending"),
        (DAY_AHEAD, "06/01/2024,25:00,A,1,N", "HourEnding", "is no hour ending"),
        (DAY_AHEAD, "06/01/2024,02:30,A,1,N", "HourEnding", "is no hour ending"),
        (DAY_AHEAD, "06/31/2024,02:00,A,1,N", "DeliveryDate", "is no date"),
        (DAY_AHEAD, "06/01/2024 01:00,02:00,A,1,N", "DeliveryDate", "is no date"),
        (DAY_AHEAD, ",02:00,A,1,N", "DeliveryDate", "is no date"),
        (DAY_AHEAD, "06/01/2124,02:00,A,1,N", "DeliveryDate", "is outside"),
        (QUARTERS, "06/01/2024,1,0,A,LZ,1,N", "DeliveryInterval", "is no quarter"),
        (QUARTERS, "06/01/2024,1,5,A,LZ,1,N", "DeliveryInterval", "is no quarter"),
        (QUARTERS, "03/10/2024,3,2,A,LZ,1,N", "DeliveryHour", "the clock goes forward"),
        (SCED, "03/10/2024 02:00:15,N,A,1", "SCEDTimestamp", "the clock goes forward"),
        (SCED, "06/01/2024 25:00:15,N,A,1", "SCEDTimestamp", "is no time of a run"),
        (SCED, "11/03/2024 02:00:00,Y,A,1", "SCEDTimestamp", "comes once"),
    ],
)
def test_a_time_that_is_none_refuses_its_row_alone(header: str, row: str, field: str, word: str) -> None:
    good = {DAY_AHEAD: DAY_ROW, QUARTERS: QUARTER_ROW, SCED: RUN_ROW}[header]
    read = parse(report(header, good, row, good.replace("31.5", "7")))
    assert read.ticks["row"].to_list() == [1, 3]
    ((number, told, value, reason),) = read.rejects.select("row", "field", "value", "reason").rows()
    assert (number, told) == (2, field)
    assert value in row
    assert word in reason


def test_without_a_flag_only_the_hour_that_comes_twice_is_lost() -> None:
    header = DAY_AHEAD.removesuffix(",DSTFlag")
    read = parse(report(header, *(f"11/03/2024,{hour}:00,A,1" for hour in ("01", "02", "02", "03"))))
    assert problems(read) == [(2, "HourEnding", "02:00"), (3, "HourEnding", "02:00")]
    assert read.ticks["start"].to_list() == [central("2024-11-03T00:00"), central("2024-11-03T02:00")]


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        ("06/01/2024,10,1,A,LZ,x,N", "SettlementPointPrice", "x"),
        ("06/01/2024,10,1,A,LZ,1e30,N", "SettlementPointPrice", "1e30"),
        ("06/01/2024,10,1,,LZ,1,N", "SettlementPointName", ""),
        ("06/01/2024,10,1,A\x07,LZ,1,N", "SettlementPointName", "A\x07"),
        ("06/01/2024,10,1,LZ_A,,1,N", "SettlementPointName", "LZ_A"),
        ("06/01/2024,10,1,A,L Z,1,N", "SettlementPointType", "L Z"),
        ("06/01/2024,10,1,A,LZ", "row", "06/01/2024,10,1,A,LZ"),
        ('"06/01/2024,10,1,A,LZ,1,N', "row", '"06/01/2024,10,1,A,LZ,1,N'),
    ],
)
def test_a_broken_row_is_refused_while_others_live(row: str, field: str, value: str) -> None:
    read = parse(report(QUARTERS, QUARTER_ROW, row, QUARTER_ROW.replace("31.5", "7")))
    assert problems(read) == [(2, field, value)]
    assert read.ticks["row"].to_list() == [1, 3]


def test_a_correction_without_its_time_is_refused() -> None:
    rows = [
        f"06/01/2024,10,A,45.86,{price},{made},N" for price, made in ((1, "06/04/2024 10:00:00"), (2, ""), (3, "x"))
    ]
    assert problems(parse(report(DAM_CORRECTED, *rows))) == [
        (2, "PriceCorrectionTime", ""), (3, "PriceCorrectionTime", "x"),
    ]  # fmt: skip
    with pytest.raises(DataProcessingError, match="lacks their time"):
        parse(report(DAM_CORRECTED.replace("PriceCorrectionTime", "x"), rows[0]))


@pytest.mark.parametrize(
    ("content", "product", "word"),
    [
        (report("SCEDTimestamp,RepeatedHourFlag,ElectricalBus,LMP", "x,N,A,1"), None, "prices of electrical buses"),
        (report("DeliveryDate,HourEnding,BusName,LMP,DSTFlag", "x,1,A,1,N"), None, "prices of electrical buses"),
        (report("ELECTRICAL_BUS,NODE_NAME,SETTLEMENT_LOAD_ZONE", "1,2,3"), None, "the list of settlement points"),
        (report("BatchID,SCEDTimestamp,RTORPA,RTRDPA", "1,x,2,3"), None, "no settlement point prices"),
        (report("OperDay,HourEnding,COAST,EAST,DSTFlag", "x,1,2,3,N"), None, "no settlement point prices"),
        (report("RTDTimestamp,IntervalEnding,SettlementPoint,LMP", "x,1,2,3"), None, "indicative"),
        (report("DeliveryDate,HourEnding,SettlementPoint,Total", "x,1,A,3"), None, "no settlement point prices"),
        (report("DeliveryDate,HourEnding,SettlementPoint,LMP", "x,1,A,3"), None, "no settlement point prices"),
        (report(QUARTERS.replace("SettlementPointType,", ""), "x"), None, "lacks SettlementPointType"),
        (report(DAY_AHEAD + ",DSTFlag", DAY_ROW + ",N"), None, "names DSTFlag 2 times"),
        (report(DAY_AHEAD), None, "no data row"),
        (answer(API_DAY_AHEAD), None, "no data row"),
        (answer(API_DAY_AHEAD[:3], ["2024-06-01", "10:00", "A"]), None, "no settlement point prices"),
        (answer(API_DAY_AHEAD, ["2024-06-01", "10:00", "A", 1, False])[:-9], None, "truncated"),
        (report(DAY_AHEAD, DAY_ROW), "rt_15min", "is of da_hourly, not of rt_15min"),
        (report(SCED, RUN_ROW), "rt_5min", "is none of ERCOT's"),
        (report(DAY_AHEAD, "06/01/2024,10:00,A,,N"), None, "holds no price"),
        (b"<html>Access denied</html>", None, "web page"),
        (b'{"statusCode": 401, "message": "no key"}', None, "answered with an error: no key"),
        (b'{"fields": [], "data": []}', None, "names no fields"),
        (b'{"fields": [1], "data": [[1]]}', None, "names no fields"),
        (b"[]", None, "names no fields"),
        (b"{}", None, "names no fields"),
    ],
)
def test_whole_refusals(content: bytes, product: str | None, word: str) -> None:
    with pytest.raises(DataProcessingError, match=word):
        parse(content, product, "ercot")


def test_a_report_that_is_cut_off_says_so() -> None:
    rows = [RUN_ROW.replace("HB_NORTH", name) for name in "ABC"]
    whole = report(SCED, *rows)
    assert parse(whole[:-1]).rejects.height == 0
    read = parse(whole[:-2])
    assert read.rejects.select("row", "field", "reason").rows() == [
        (3, "LMP", "LMP '       31.5' is cut off: the document is truncated")
    ]
    assert read.ticks["row"].to_list() == [1, 2]
    (reason,) = parse(report(DAY_AHEAD, DAY_ROW, DAY_ROW[:-2])[:-1]).rejects["reason"].to_list()
    assert "truncated" in reason
    assert parse(report(SCED, *(row.replace(" " * 7, "") for row in rows))[:-2]).rejects.height == 0  # none is padded


def test_records_of_an_answer_that_are_none_refuse_themselves_alone() -> None:
    rows = [["2024-06-01T09:00:00", False, "A", 1], ["2024-06-01T09:05:00", False], "x",
            ["2024-06-01T09:05:00", False, "A", [1]], ["2024-06-01T09:10:00", False, "A", "x"]]  # fmt: skip
    read = parse(answer(API_SCED, *rows))
    assert [row for row, *_ in problems(read)] == [2, 3, 4, 5]
    assert read.ticks["row"].to_list() == [1]


FIXTURE = report(QUARTERS, QUARTER_ROW, "11/03/2024,2,1,A,LZ, .05,N", "11/03/2024,2,1,A,LZEW,-7.25,Y", QUARTER_ROW)


@given(
    st.lists(st.tuples(st.integers(0, len(FIXTURE) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(FIXTURE))
)
def test_mutated_reports_lose_no_row(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(FIXTURE)
    for at, byte in changes:
        data[at] = byte
    mutated = bytes(data[:cut]) if cut % 3 == 0 else bytes(data)
    try:
        read = ercot.parse(Document(mutated, "x", "ercot"))
    except DataProcessingError:
        return  # refused as a whole
    lines = mutated.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n").lstrip().split("\n")[1:]
    held = {number for number, line in enumerate(lines, 1) if line.strip()}
    refused, ticks = set(read.rejects["row"].to_list()), set(read.ticks["row"].to_list())
    assert len(refused) == read.rejects.height
    assert not refused & ticks
    assert {*refused, *ticks} <= held
    for number in held - {*refused, *ticks}:
        cells = next(csv.reader([lines[number - 1]]))
        repeats = any(cells == next(csv.reader([lines[other - 1]])) for other in ticks if other < number)
        assert repeats or cells[5].strip().lower() in ("", "nan", "n/a", "-") or _equal_to_an_earlier(read.ticks, cells)


def _equal_to_an_earlier(ticks: pl.DataFrame, cells: list[str]) -> bool:
    """Another text of the same price, as 07.25 is."""
    return (ticks["price"] == Decimal(cells[5].strip(" \t"))).any()
