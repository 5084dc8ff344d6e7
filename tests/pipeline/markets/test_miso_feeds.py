"""MISO's five-minute feed and weekly file, the consolidated table and answers of the pricing API."""

import json
from datetime import datetime, timedelta
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
    HOUR,
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


@pytest.mark.skipif(not SAMPLE.exists(), reason="the exchange's own documents may not be redistributed: none are here")
def test_rows_of_a_real_table() -> None:
    read = parse(SAMPLE.read_bytes())
    assert (read.rows, read.rejects.height) == (37, 0)
    by_product = dict(read.ticks.group_by("product").len().rows())
    assert by_product == {"rt_5min": 21, "rt_hourly": 16}
    held = json.loads(SAMPLE.read_bytes())["LMPData"]
    for block, product, start, length in (
        ("FiveMinLMP", "rt_5min", est("2026-10-02T16:45"), FIVE),
        ("HourlyIntegratedLMP", "rt_hourly", est("2026-10-02T15:00"), HOUR),
    ):
        ticks = read.ticks.filter(product=product)
        assert ticks.select("location", "price", "congestion", "loss").rows() == [
            (each["name"], D(each["LMP"]), D(each["MCC"]), D(each["MLC"])) for each in held[block]["PricingNode"]
        ]
        assert ticks.select("start", "end").unique().rows() == [(start, start + length)]


def test_every_block_of_the_table_is_a_product() -> None:
    read = parse(
        table(
            "27-Jul-2026 - Interval 08:15 EST", FiveMinLMP=("08:15", [priced(), priced("AECI")]),
            HourlyIntegratedLMP=("HE 8", [priced(lmp="1")]), DayAheadExAnteLMP=("HE 9", priced(lmp="2")),
            DayAheadExPostLMP=("HE 9", [priced(lmp=3.10)]),
        )
    )  # fmt: skip
    assert read.ticks.select("product", "start", "end", "price", "row", "version").rows() == [
        ("rt_5min", est("2026-07-27T08:10"), est("2026-07-27T08:15"), D("34.04"), 1, 0),
        ("rt_5min", est("2026-07-27T08:10"), est("2026-07-27T08:15"), D("34.04"), 2, 0),
        ("rt_hourly", est("2026-07-27T07:00"), est("2026-07-27T08:00"), D(1), 3, 0),
        ("da_exante_hourly", est("2026-07-27T08:00"), est("2026-07-27T09:00"), D(2), 4, 0),
        ("da_hourly", est("2026-07-27T08:00"), est("2026-07-27T09:00"), D("3.1"), 5, 0),
    ]
    assert read.ticks["location_type"].to_list() == [None] * 5
    assert read.ticks.row(0, named=True)["energy"] == D("34.5")


def test_hubs_before_the_dispatch_are_a_product_of_their_own() -> None:
    hubs = [
        {"name": "X.HUB", "LMP": "30.75", "loss": "-0.25", "congestion": "1.00"},
        {"name": "Y", "LMP": "x", "loss": "", "congestion": ""},
        {"name": "Z", "LMP": "", "loss": "0.10", "congestion": "0.20"},
        {"name": "W", "LMP": "-2.50", "loss": "0.10", "congestion": "y"},
    ]
    told = {"RefId": "02-Oct-2026 - Interval 00:00 EST", "ExAnteLMP": {"HourAndMin": "00:00", "Hub": hubs}}
    document = json.dumps({"LMPData": told}).encode()
    read = parse(document)
    assert prices(read) == [("X.HUB", est("2026-10-01T23:55"), D("30.75"), D(30), D(1), D("-0.25"))]
    what = read.ticks.select("product", "instrument", "end", "derived", "location_type", "row").rows()
    assert what == [("rt_exante_5min", "miso.rt_exante_5min.X.HUB", est("2026-10-02"), True, None, 1)]
    assert problems(read) == [(2, "LMP", "x"), (4, "congestion", "y")]
    assert miso.claims("x", document)
    assert parse(document, product="rt_exante_5min").ticks.equals(read.ticks)
    with pytest.raises(DataProcessingError, match="is of rt_exante_5min, not of rt_5min"):
        parse(document, product="rt_5min")


@given(st.datetimes(datetime(2015, 1, 1), datetime(2030, 12, 31)))  # noqa: DTZ001
def test_hours_of_the_table_are_those_around_its_reference(at: datetime) -> None:
    """At any time, midnights and clock changes among them: the hour that is over, and the one that runs."""
    end = at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0)
    hour = end.replace(minute=0)
    running = hour if end == hour else hour + HOUR  # the hour that the five minutes are part of, by its end
    read = parse(
        table(
            f"{end:%d-%b-%Y} - Interval {end:%H:%M} EST", FiveMinLMP=(f"{end:%H:%M}", [priced()]),
            HourlyIntegratedLMP=(f"HE {hour.hour or 24}", [priced()]),
            DayAheadExPostLMP=(f"HE {running.hour or 24}", [priced()]),
        )
    )  # fmt: skip
    expected = [est(each.isoformat()) for each in (end, hour, running)]
    assert read.ticks["end"].to_list() == expected


@pytest.mark.parametrize("gone", [None, "", [], {}, ("HE 8", None), ("HE 8", ""), ("HE 8", [])])
def test_blocks_may_be_absent_or_empty(gone: Any) -> None:
    reference = "27-Jul-2026 - Interval 24:00 EST"
    read = parse(table(reference, HourlyIntegratedLMP=gone, FiveMinLMP=("00:00", [priced()])))
    assert read.ticks["end"].to_list() == [est("2026-07-28")]
    with pytest.raises(DataProcessingError, match="no node in any"):
        parse(table(reference, HourlyIntegratedLMP=gone))
    with pytest.raises(DataProcessingError, match="no node in any of HourlyIntegratedLMP"):
        parse(table(reference, FiveMinLMP=("00:00", [priced()])), product="rt_hourly")


def test_nodes_of_the_table_that_are_bad_refuse_themselves_alone() -> None:
    blocks: dict[str, Any] = {
        "FiveMinLMP": ("16:52", [priced()]), "HourlyIntegratedLMP": ("HE 25", [priced()]),
        "DayAheadExAnteLMP": (None, [priced()]),
        "DayAheadExPostLMP": ("HE 17", [priced(lmp="x"), 5, priced(""), priced(lmp=""), priced(mcc="N/A")]),
    }  # fmt: skip
    read = parse(table("02-Oct-2026 - Interval 16:50 EST", **blocks))
    assert problems(read) == [
        (1, "HourAndMin", "16:52"), (2, "HourAndMin", "HE 25"), (3, "HourAndMin", ""), (4, "LMP", "x"),
        (5, "record", "5"), (6, "name", ""),
    ]  # fmt: skip
    assert prices(read) == [("INDIANA.HUB", est("2026-10-02T16:00"), D("34.04"), None, None, D("-0.94"))]
    wanted = parse(table("02-Oct-2026 - Interval 16:50 EST", FiveMinLMP=("16:50", [priced()]), **{
        "DayAheadExPostLMP": ("HE 17", [priced()])}), product="da_hourly")  # fmt: skip
    assert (wanted.ticks["product"].to_list(), problems(wanted)) == (["da_hourly"], [(1, "HourAndMin", "16:50")])


@pytest.mark.parametrize(
    "reference",
    [
        None,
        "",
        "2026-10-02T16:50",
        "02-Oct-2026 - Interval 16:50 EDT",
        "31-Feb-2026 - Interval 16:50 EST",
        "02-Oct-1889 - Interval 16:50 EST",
        "02-Oct-2026 - Interval 25:00 EST",
        "02-Okt-2026 - Interval 16:50 EST",
    ],
)
def test_a_table_needs_its_reference(reference: Any) -> None:
    with pytest.raises(DataProcessingError, match="RefId"):
        parse(table(reference, FiveMinLMP=("16:50", [priced()])))


def test_the_pricing_api_publishes_energy_and_grades() -> None:
    document = answer(
        element(*MINUTES, "Preliminary"), element(*MINUTES, "Final", lmp="-3.50"), element(*HOURS, "Final"),
        element(*HOURS, "Preliminary", mec=None),
    )  # fmt: skip
    read = parse(document)
    start = est("2026-08-04")
    assert read.ticks.select("product", "version", "start", "end", "price", "energy", "derived").rows() == [
        ("rt_5min", 0, start, start + FIVE, D("21.6"), D("20.94"), False),
        ("rt_5min", 1, start, start + FIVE, D("-3.5"), D("20.94"), False),
        ("rt_hourly", 1, start, start + HOUR, D("21.6"), D("20.94"), False),
        ("rt_hourly", 0, start, start + HOUR, D("21.6"), None, False),
    ]
    assert (miso.claims("x", document), read.rejects.height) == (True, 0)


@pytest.mark.parametrize(
    ("bounds", "name", "product", "told"),
    [
        (HOURS, DAY_AHEAD, None, "da_hourly"),
        (HOURS, "20260804_da_lmp_exante_p1.json", None, "da_exante_hourly"),
        (HOURS, "x", "da_hourly", "da_hourly"),
        (HOURS, "x", "da_exante_hourly", "da_exante_hourly"),
        (MINUTES, "x", None, "rt_exante_5min"),
    ],
)
def test_what_an_answer_does_not_say_its_name_or_sender_must(
    bounds: tuple[str, str], name: str, product: str | None, told: str
) -> None:
    as_interval = element(*bounds)
    as_interval["interval"] = as_interval.pop("timeInterval")
    for each in (element(*bounds, interval="1"), as_interval):
        for document in (answer(each), json.dumps([each]).encode()):
            assert parse(document, name, product).ticks["product"].to_list() == [told]


@pytest.mark.parametrize(
    ("made", "name", "product", "said"),
    [
        (element(*HOURS), "x", None, "name the product"),
        (element(*HOURS), "real-time/2026-08-04/lmp-exante", None, "no preliminaryFinal"),
        (element(*HOURS), "x", "rt_hourly", "no preliminaryFinal"),
        (element(*HOURS), DAY_AHEAD, "da_exante_hourly", "is of da_hourly, not of da_exante_hourly"),
        (element(*HOURS, "Final"), DAY_AHEAD, None, "the file name is of another"),
        (element(*MINUTES), DAY_AHEAD, None, "the file name is of others"),
        (element(*MINUTES, "Final"), "x", "rt_hourly", "is of rt_5min, not of rt_hourly"),
    ],
)
def test_a_contradiction_refuses_an_answer(made: dict[str, Any], name: str, product: str | None, said: str) -> None:
    with pytest.raises(DataProcessingError, match=said):
        parse(answer(made), name, product)


def test_elements_that_are_bad_refuse_themselves_alone() -> None:
    daily = ("2026-08-04T00:00:00", "2026-08-05T00:00:00")
    read = parse(
        answer(
            element(*HOURS, "Final", lmp=None), element(*daily, "Final"), element(*HOURS, "string"),
            element(*HOURS, "Final", timeInterval=None), element("2026-08-04T00:30:00", "2026-08-04T01:30:00", "Final"),
            element(*HOURS, "Final", node="", mlc="-"), element(*HOURS, "Final", mcc={}), element(*HOURS, "Final"),
        )
    )  # fmt: skip
    assert [(number, field) for number, field, _ in problems(read)] == [
        (2, "timeInterval"), (3, "timeInterval"), (4, "timeInterval"), (5, "timeInterval"), (6, "node"), (7, "mcc"),
    ]  # fmt: skip
    assert read.ticks["row"].to_list() == [8]
    assert "an interval of 1440 minutes" in read.rejects["reason"][0]
    assert "neither Preliminary nor Final" in read.rejects["reason"][1]


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
