"""MISO's five-minute feed and weekly file, and what all of its documents share."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import markets, members
from pipeline.errors import DataProcessingError
from pipeline.markets import caiso, miso, nyiso
from tests.pipeline import making
from tests.pipeline.markets.miso_files import (
    FEED_HEADERS,
    FIVE,
    answer,
    day,
    element,
    est,
    feed,
    node,
    parse,
    priced,
    prices,
    problems,
    table,
    week,
)  # fmt: skip

SAMPLES = Path(__file__).parents[3].parent / "shared" / "data" / "iso" / "miso"
SAMPLE = SAMPLES / "rt_5min" / "GetLmpConsolidatedTable_20261002_1650_excerpt.json"
D = Decimal
ROW = ("2026-10-02T16:50:00", "A.B", "1.25", "-.25", "0.50")
DAY_AHEAD = "day-ahead/2026-08-04/lmp-expost.json"
HOURS = ("2026-08-04T00:00:00", "2026-08-04T01:00:00")
MINUTES = ("2026-08-04 00:00:00.000", "2026-08-04 00:05:00.000")


def test_the_feed_stamps_the_end_of_five_minutes() -> None:
    read = parse(feed(ROW))
    assert prices(read) == [("A.B", est("2026-10-02T16:45"), D("1.25"), D(1), D("0.5"), D("-0.25"))]
    told = read.ticks.select("product", "instrument", "ts", "end", "hold_end", "version", "derived", "location_type")
    end = est("2026-10-02T16:50")
    assert told.row(0) == ("rt_5min", "miso.rt_5min.A.B", est("2026-10-02T16:45"), end, end, 0, True, None)


@pytest.mark.parametrize("key", ["data", "rows"])
def test_forms_of_the_feed(key: str) -> None:
    expected = prices(parse(feed(ROW)))
    keyed = dict(zip(FEED_HEADERS, ROW, strict=True))
    lists = {"headers": list(FEED_HEADERS), key: [list(ROW)]}
    turned = {"headers": list(FEED_HEADERS[::-1]), key: [list(ROW[::-1])]}
    forms: list[Any] = [lists, dict(reversed(lists.items())), turned, [keyed], {key: [keyed]}]
    documents = [json.dumps(form).encode() for form in forms] + [json.dumps(lists, indent=1).encode()]
    documents.append(",".join(FEED_HEADERS).encode() + b"\r\n" + ",".join(ROW).encode() + b"\r\n")
    for document in documents:
        read = parse(document)
        assert (prices(read), read.ticks["product"].to_list()) == (expected, ["rt_5min"]), document
        assert miso.claims("x", document), document


def test_a_feed_whose_headers_come_after_its_rows_is_known_by_its_rows() -> None:
    """The headers lie beyond what is looked at first."""
    lists = {"data": [list(ROW)] * 1_500, "headers": list(FEED_HEADERS)}
    document = json.dumps(lists).encode()
    assert document.find(b"CPNODE") > markets.HEAD
    read = members.read(document, "x.json")
    assert (read.refused, read.ticks["product"].unique().to_list()) == ([], ["rt_5min"])


def test_the_feed_under_another_product_is_refused() -> None:
    assert prices(parse(feed(ROW), product="rt_5min")) == prices(parse(feed(ROW)))
    with pytest.raises(DataProcessingError, match="of rt_5min, not of da_hourly"):
        parse(feed(ROW), product="da_hourly")


def test_rows_of_the_feed_that_are_bad_refuse_themselves_alone() -> None:
    read = parse(
        feed(
            ROW, ("2026-10-02T16:51:00", *ROW[1:]), ("x",), ("2026-10-02T16:50:00", "", "1", "2", "3"),
            (*ROW[:2], "", "1", "2"), (*ROW[:2], "abc", "1", "2"), (*ROW[:2], 1.50, None, "-"),
            (*ROW[:2], [1], "2", "3"), ("1889-10-02T16:50:00", *ROW[1:]), (None, *ROW[1:]), (*ROW[:3], "x", "1"),
        )
    )  # fmt: skip
    assert problems(read) == [
        (2, "INTERVAL", "2026-10-02T16:51:00"), (3, "record", '["x"]'), (4, "CPNODE", ""), (6, "LMP", "abc"),
        (8, "LMP", "[1]"), (9, "INTERVAL", "1889-10-02T16:50:00"), (10, "INTERVAL", ""), (11, "MLC", "x"),
    ]  # fmt: skip
    assert [each[2:] for each in prices(read)] == [
        (D("1.25"), D(1), D("0.5"), D("-0.25")),
        (D("1.5"), None, None, None),
    ]
    assert read.ticks["row"].to_list() == [1, 7]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (feed(ROW)[:-9], "truncated"),
        (feed(), "holds no price"),
        (feed(ROW[:4], headers=FEED_HEADERS[:4]), "congestion"),
        (b'{"headers": ["INTERVAL", "CPNODE", "LMP", "MLC", "MCC"]}', "data is absent"),
        (b"<html>CPNODE</html>", "web page"),
        (b'{"MCPData": {"RefId": "02-Oct-2026 - Interval 16:50 EST"}}', "no prices of energy"),
        (
            b'{"LMPData": {"RefId": "02-Oct-2026 - Interval 16:50 EST", "ExAnteLMP": {"Hub": []}}}',
            "no node in any of ExAnteLMP",
        ),
        (b"\nMARKET_DAY,NODE,TYPE,VALUE,HE1\n", "no prices of energy"),
        (b"a,b\n1,2\n", "no document of MISO"),
    ],
)
def test_what_is_no_list_of_prices_is_refused(document: bytes, said: str) -> None:
    with pytest.raises(DataProcessingError, match=said):
        parse(document)


def test_weekly_prices_are_final_and_their_footer_is_no_row() -> None:
    rows = ("07/06/2026 00:05,A.B,1.25,.5,-.25", '07/13/2026 00:00,A.B,"1,201.25",.5,-.25')
    expected = [
        ("A.B", est("2026-07-06"), D("1.25"), D(1), D("0.5"), D("-0.25")),
        ("A.B", est("2026-07-12T23:55"), D("1201.25"), D(1201), D("0.5"), D("-0.25")),
    ]
    for after in ("\n*END*\n", "*END*\n2 rows\n", "\nPrices are final, see the tariff.\n\n", ",,,,\n"):
        document = week(*rows, after=after)
        read = parse(document, "20260720_5MIN_LMP.csv")
        assert (prices(read), problems(read), read.rows, read.header_line) == (expected, [], 2, 5), after
        assert read.ticks.select("product", "version").rows() == [("rt_5min", 1)] * 2
        assert parse(document, "x").ticks.equals(read.ticks)
    cut = parse(week(*rows, after="")[:-9])
    assert (cut.ticks.height, cut.rejects["row"].to_list()) == (1, [2])
    assert "truncated" in cut.rejects["reason"][0]
    cut = parse(week(rows[0], "7/13/2026 12:00:00 A", after="")[:-1])
    assert (cut.ticks.height, cut.rejects["row"].to_list()) == (1, [2])


def test_weekly_columns_are_found_by_name() -> None:
    read = parse(week("A.B,1.25,.5,-.25,07/06/2026 00:05", header="PNODENAME,LMP,CON_LMP,LOSS_LMP,MKTHOUR_EST"))
    assert prices(read) == [("A.B", est("2026-07-06"), D("1.25"), D(1), D("0.5"), D("-0.25"))]
    with pytest.raises(DataProcessingError, match="one column is expected for each of congestion"):
        parse(week("07/06/2026 00:05,A.B,1.25,-.25", header="MKTHOUR_EST,PNODENAME,LMP,LOSS_LMP"))


def test_documents_of_other_markets_are_not_claimed() -> None:
    ercot = b'{"fields": [{"name": "SCEDTimestamp"}], "data": [["2026-10-02T16:50:12", false, "HB_NORTH", 1.5]]}'
    pjm = b'{"items": [{"datetime_beginning_utc": "2026-10-02T05:00:00", "pnode_id": 1, "total_lmp_da": 1.5}]}'
    for other in (making.oasis(*making.interval()), ercot, pjm, b"Time Stamp,Name,PTID,LBMP ($/MWHr)\n", b"", b"{"):
        assert not miso.claims("miso.csv", other)
        with pytest.raises(DataProcessingError, match="no document of MISO"):
            parse(other, "miso.csv")
    for own in (day(*node("A")), feed(ROW), week(), answer(element(*HOURS)), table("x", FiveMinLMP=("16:50", []))):
        assert [each.claims("x", own) for each in (caiso, nyiso, miso)] == [False, False, True]


FIXTURES = (
    feed(ROW, ROW), week("07/06/2026 00:05,A.B,1.25,.5,-.25"), answer(element(*HOURS, "Final"), element(*MINUTES)),
    table("02-Oct-2026 - Interval 16:50 EST", FiveMinLMP=("16:50", [priced()]), DayAheadExPostLMP=("HE 17", priced())),
)  # fmt: skip


@given(
    st.sampled_from(FIXTURES), st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=3)), max_size=4),
    st.integers(0, 10_000),
)  # fmt: skip
def test_whatever_the_bytes_are_only_refusals_come_out(
    fixture: bytes, changes: list[tuple[int, bytes]], cut: int
) -> None:
    data = fixture
    for at, inserted in changes:
        place = at % len(data)
        data = data[:place] + inserted + data[place + len(inserted) :]
    try:
        read = parse(data[: cut % len(data)] if cut % 3 == 0 else data)
    except DataProcessingError:
        return
    told = [*read.ticks["row"], *read.rejects["row"]]
    assert len(told) == len(set(told)) <= read.rows
    assert read.ticks.select("product", "start", "version", "price").null_count().sum_horizontal().item() == 0
    assert (read.ticks["end"] - read.ticks["start"]).is_in([FIVE, timedelta(hours=1)]).all()
