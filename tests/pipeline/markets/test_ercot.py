import json
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.documents import PARSED
from pipeline.markets import caiso, ercot, nyiso, pjm
from tests.pipeline import making
from tests.pipeline.markets.ercot_files import (
    API_DAY_AHEAD,
    API_QUARTERS,
    API_SCED,
    DAM_CORRECTED,
    DAY_AHEAD,
    DAY_ROW,
    HOUR,
    QUARTER,
    QUARTER_ROW,
    QUARTERS,
    RTM_CORRECTED,
    RUN_ROW,
    SCED,
    SCED_CORRECTED,
    answer,
    central,
    clock_changes,
    labels,
    parse,
    problems,
    report,
)  # fmt: skip

D = Decimal
NINE = central("2024-06-01T09:00")
CHANGES = clock_changes(2015, 2030)


# One price in every form


def test_a_price_of_a_quarter() -> None:
    (tick,) = parse(report(QUARTERS, QUARTER_ROW)).ticks.rows(named=True)
    start = central("2024-06-01T09:30")
    assert tick == {
        **dict.fromkeys(PARSED), "market": "ercot", "product": "rt_15min", "location": "LZ_WEST",
        "location_type": "LZ", "instrument": "ercot.rt_15min.LZ_WEST", "ts": start, "start": start,
        "end": start + QUARTER, "hold_end": start + QUARTER, "price": D("31.5"), "version": 0, "row": 1,
    }  # fmt: skip


def test_a_price_of_a_run_holds_for_half_an_hour_and_has_no_end() -> None:
    (tick,) = parse(report(SCED, RUN_ROW)).ticks.rows(named=True)
    start = central("2024-06-01T09:35:17")
    assert (tick["ts"], tick["start"], tick["end"], tick["hold_end"]) == (start, start, None, start + HOUR / 2)
    assert (tick["instrument"], tick["location_type"], tick["price"]) == ("ercot.rt_sced.HB_NORTH", None, D("31.5"))


@pytest.mark.parametrize(
    "content",
    [
        report(DAY_AHEAD, DAY_ROW),
        report(DAY_AHEAD, DAY_ROW).replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + report(DAY_AHEAD, DAY_ROW.replace("10:00", "10")),
        report(DAY_AHEAD, DAY_ROW.replace("10:00", " 10:00:00")),
        report(",".join(API_DAY_AHEAD), "2024-06-01,10:00,HB_NORTH,31.5,False"),
        report("," + ",".join(API_DAY_AHEAD), "0,2024-06-01,10:00,HB_NORTH,31.5,False"),
        report(
            "Delivery Date,Hour Ending,Repeated Hour Flag,Settlement Point,Settlement Point Price",
            "06/01/2024,10:00,N,HB_NORTH,31.5",
        ),
        report("delivery_date,hour_ending,settlement_point,settlement_point_price", '2024-06-01,"10:00",HB_NORTH,31.5'),
        answer(API_DAY_AHEAD, ["2024-06-01", "10:00", "HB_NORTH", 31.5, False]),
        answer(API_DAY_AHEAD[::-1], ["N", 31.50, "HB_NORTH", "10:00", "2024-06-01"]),
        json.dumps([dict(zip(API_DAY_AHEAD, ["2024-06-01", "10:00", "HB_NORTH", 31.5, False], strict=True))]).encode(),
        json.dumps(
            {"data": [dict(zip(API_DAY_AHEAD, ["2024-06-01", 10, "HB_NORTH", "31.5", None], strict=True))]}
        ).encode(),
    ],
)
def test_the_forms_of_a_day_ahead_price(content: bytes) -> None:
    read = parse(content)
    columns = ("product", "instrument", "start", "end", "price", "location_type")
    told = ("da_hourly", "ercot.da_hourly.HB_NORTH", NINE, NINE + HOUR, D("31.5"), None)
    assert read.ticks.select(columns).rows() == [told]


def test_answers_of_the_other_products() -> None:
    quarter = answer(API_QUARTERS, ["2024-06-01", 10, 1, "DC_E", "LZ_DC", -0.01, False], emil="NP6-905-CD")
    run = answer(API_SCED, ["2024-06-01T09:00:00", False, "DC_E", 1e2], emil="NP6-788-CD")
    for content, product, price in ((quarter, "rt_15min", D("-0.01")), (run, "rt_sced", D(100))):
        assert parse(content).ticks.select("product", "instrument", "start", "price").rows() == [
            (product, f"ercot.{product}.DC_E", NINE, price)
        ]


def test_a_name_that_stands_for_two_points_is_told_by_its_type() -> None:
    kinds = {"LZ": "", "LZEW": "@LZEW", "LZ_DC": "", "LZ_DCEW": "@LZ_DCEW", "RN": "", " LZEW ": "@LZEW"}
    rows = [f"06/01/2024,10,1,A,{kind},{n},N" for n, kind in enumerate(kinds)]
    ticks = parse(report(QUARTERS, *rows)).ticks
    assert ticks["instrument"].to_list() == [f"ercot.rt_15min.A{suffix}" for suffix in kinds.values()]
    assert ticks["location"].unique().to_list() == ["A"]
    assert ticks["location_type"].to_list() == [kind.strip() for kind in kinds]


def test_without_its_type_a_name_that_stands_for_two_points_is_lost() -> None:
    rows = (f"06/01/2024,10,1,{name},,{n},N" for n, name in enumerate(("HB_A", "LZ_A", "DC_E")))
    read = parse(report(QUARTERS, *rows))
    assert problems(read) == [(2, "SettlementPointName", "LZ_A"), (3, "SettlementPointName", "DC_E")]
    assert read.ticks.select("instrument", "location_type").rows() == [("ercot.rt_15min.HB_A", None)]
    assert parse(report(DAY_AHEAD, DAY_ROW.replace("HB_NORTH", "LZ_A"))).ticks.height == 1  # it has one price a name


# Times


@pytest.mark.parametrize("day", CHANGES)
@pytest.mark.parametrize("as_json", [False, True])
def test_hours_of_a_clock_change(day: date, as_json: bool) -> None:
    told = list(labels(day, HOUR))
    rows = [(f"{hour:02}:00", "Y" if second else "N") for _, hour, _, second in told][::-1]
    content = report(DAY_AHEAD, *(f"{day:%m/%d/%Y},{hour},A,1,{flag}" for hour, flag in rows))
    if as_json:
        content = answer(API_DAY_AHEAD, *([f"{day}", hour, "A", 1, flag == "Y"] for hour, flag in rows))
    ticks = parse(content).ticks
    assert ticks["start"].to_list() == [instant for instant, *_ in told][::-1]
    assert ticks.height in (23, 25)
    assert (ticks["start"].sort().diff().drop_nulls() == HOUR).all()


@pytest.mark.parametrize("day", CHANGES)
def test_quarters_of_a_clock_change(day: date) -> None:
    told = list(labels(day, QUARTER))
    rows = (f"{day:%m/%d/%Y},{hour},{quarter},A,LZ,1,{'NY'[second]}" for _, hour, quarter, second in told)
    ticks = parse(report(QUARTERS, *rows)).ticks
    assert ticks["start"].to_list() == [instant for instant, *_ in told]
    assert ticks.height in (92, 100)


def test_the_flag_marks_the_second_run_of_an_hour_in_whatever_order() -> None:
    rows = [f"11/03/2024 {time},{flag},A,1" for time, flag in (("01:59:59", "Y"), ("01:00:07", "N"), ("02:00:01", "N"))]
    assert parse(report(SCED, *rows)).ticks["start"].to_list() == [
        central("2024-11-03T01:59:59", 1), central("2024-11-03T01:00:07"), central("2024-11-03T02:00:01"),
    ]  # fmt: skip


# Prices, points and repetitions


def test_old_and_padded_numbers() -> None:
    texts = {" 28.4": "28.4", "       -0.50": "-0.5", ".05": "0.05", "-.37": "-0.37", "29": "29", "5064.20": "5064.2"}
    rows = [f"06/01/2024,{hour}:00,A,{text},N" for hour, text in enumerate(texts, 1)]
    assert parse(report(DAY_AHEAD, *rows)).ticks["price"].to_list() == [D(text) for text in texts.values()]


@pytest.mark.parametrize("nothing", ["", " ", "NaN", "N/A", "-"])
def test_a_missing_price_is_a_gap(nothing: str) -> None:
    read = parse(report(DAY_AHEAD, DAY_ROW, f"06/01/2024,11:00,A,{nothing},N"))
    assert (read.ticks.height, read.rejects.height) == (1, 0)
    read = parse(answer(API_SCED, ["2024-06-01T09:00:00", False, "A", None], ["2024-06-01T09:05:00", False, "A", 1]))
    assert (read.ticks["row"].to_list(), read.rejects.height) == ([2], 0)


def test_equal_rows_are_one_publication_and_others_are_not() -> None:
    rows = [RUN_ROW.replace("31.50", price) for price in ("31.50", "31.50", "31.5 ", "32.50", "31.50")]
    ticks = parse(report(SCED, *rows)).ticks
    assert ticks.select("row", "price").rows() == [(1, D("31.5")), (4, D("32.5")), (5, D("31.5"))]


# Corrections


@pytest.mark.parametrize(
    ("header", "row", "product"),
    [
        (DAM_CORRECTED, "06/01/2024,10,A,45.86,45.87,06/04/2024 10:00:00,N", "da_hourly"),
        (RTM_CORRECTED, "06/01/2024,10,1,A,LZEW,45.86,45.87,06/04/2024 10:00:00,N", "rt_15min"),
        (SCED_CORRECTED, "06/01/2024 09:00:00,A,45.86,45.87,2024-06-04T10:00:00,N", "rt_sced"),
    ],
)
def test_a_correction_is_a_later_version_of_the_price(header: str, row: str, product: str) -> None:
    later = row.replace("45.87", "45.88").replace("10:00:00", "11:30:00").replace("09:00:00", "09:00:00")
    ticks = parse(report(header, later, row)).ticks
    assert ticks.select("product", "start", "price", "version").rows() == [
        (product, NINE, D("45.88"), 20240604113000), (product, NINE, D("45.87"), 20240604100000),
    ]  # fmt: skip


# Whole documents


def test_claims() -> None:
    ours = (
        report(DAY_AHEAD), report(QUARTERS), report(SCED), report("Delivery Date,Hour Ending,x"), answer(API_SCED),
        report("SCEDTimestamp,ElectricalBus,LMP"), report("OperDay,COAST"), b'[{"settlementPoint":"A"}]',
    )  # fmt: skip
    others = (b"", b"a,b\n1,2", b'{"items":[]}', b"[]", making.oasis(*making.interval()), b"Time Stamp,Name,PTID")
    assert [ercot.claims("x", head) for head in ours] == [True] * len(ours)
    assert [ercot.claims("ercot.csv", head) for head in others] == [False] * len(others)
    for content in (report(DAY_AHEAD, DAY_ROW), answer(API_SCED, ["2024-06-01T09:00:00", False, "A", 1])):
        assert not any(market.claims("x", content) for market in (caiso, nyiso, pjm))


def test_a_file_of_a_run_is_read_in_order() -> None:
    rows = [f"06/01/2024 09:35:17,N,P{n},{n / 100:12.2f}" for n in range(1_120)]
    ticks = parse(report(SCED, *rows)).ticks
    assert ticks["price"].to_list() == [D(n) / 100 for n in range(1_120)]
    assert ticks["start"].unique().to_list() == [datetime.fromisoformat("2024-06-01T14:35:17+00:00")]
    assert (ticks["hold_end"] - ticks["start"]).unique().to_list() == [timedelta(minutes=30)]
