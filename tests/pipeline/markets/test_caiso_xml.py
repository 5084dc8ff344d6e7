"""OASIS reports as XML: the same prices as the CSV report says, and nothing of XML's own tricks."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.bench import caiso as sizes
from local.bench.caiso import Size
from local.documents.caiso import DAM, RTM
from pipeline import members
from pipeline.documents import Document
from pipeline.errors import DataProcessingError
from pipeline.markets import caiso

AT = datetime(2024, 6, 1, 20, tzinfo=UTC)
SIZE = Size(3)


def record(item: str = "LMP_PRC", value: str = "31.5", node: str = "N_1", more: str = "") -> str:
    return (
        f"<REPORT_DATA><DATA_ITEM>{item}</DATA_ITEM><RESOURCE_NAME>{node}</RESOURCE_NAME>"
        "<INTERVAL_START_GMT>2024-06-01T20:00:00-00:00</INTERVAL_START_GMT>"
        f"<INTERVAL_END_GMT>2024-06-01T20:05:00-00:00</INTERVAL_END_GMT><VALUE>{value}</VALUE>{more}</REPORT_DATA>"
    )


def item(*records: str, run: str = "RTM", name: str = "PRC_INTVL_LMP") -> str:
    """A report item; without a head of its header where that is empty."""
    heads = {"SYSTEM": "OASIS", "REPORT": name, "MKT_TYPE": run}
    header = "".join(f"<{head}>{text}</{head}>" for head, text in heads.items() if text)
    return f"<REPORT_ITEM><REPORT_HEADER>{header}</REPORT_HEADER>{''.join(records)}</REPORT_ITEM>"


def document(*items: str, prefix: str = "", space: str = "http://www.caiso.com/soa/OASISReport_v1.xsd") -> bytes:
    named = f" xmlns{prefix and ':'}{prefix}='{space}'" if space else ""
    body = f"<OASISReport><MessagePayload><RTO>{''.join(items)}</RTO></MessagePayload></OASISReport>"
    text = re.sub(r"<(/?)(\w)", rf"<\1{prefix}{prefix and ':'}\2", body)
    return f'<?xml version="1.0" encoding="UTF-8"?>{text.replace("OASISReport>", f"OASISReport{named}>", 1)}'.encode()


def report(*records: str, run: str = "RTM", prefix: str = "") -> bytes:
    return document(item(*records, run=run), prefix=prefix)


@pytest.mark.parametrize("kind", [RTM, DAM])
def test_the_same_prices_as_the_csv_report(kind: sizes.Report) -> None:
    as_xml = members.read(sizes.xml(kind, [AT], SIZE), "a.xml")
    as_csv = members.read(sizes.text(kind, [AT], SIZE), "a.csv")
    assert as_xml.rejects.is_empty()
    assert as_xml.ticks.height == 3
    assert as_xml.ticks.equals(as_csv.ticks)


@pytest.mark.parametrize("prefix", ["", "m"])
def test_every_part_with_and_without_a_prefix(prefix: str) -> None:
    parts = {"LMP_PRC": "31.5", "LMP_ENE_PRC": "30", "LMP_CONG_PRC": "1.25", "LMP_LOSS_PRC": ".25", "LMP_GHG_PRC": "0"}
    content = report(*(record(item, value) for item, value in reversed(parts.items())), prefix=prefix)
    [tick] = members.read(content, "a.xml").ticks.to_dicts()
    amounts = [tick[name] for name in ("price", "energy", "congestion", "loss", "ghg")]
    assert amounts == [Decimal(value) for value in ("31.5", "30", "1.25", "0.25", "0")]
    assert (tick["product"], tick["start"], tick["row"]) == ("rt_5min", AT, 5)


def test_a_record_without_a_field_refuses_itself_alone() -> None:
    lacking, twice = record().replace("<VALUE>31.5</VALUE>", ""), record(more="<VALUE>1</VALUE>", node="N_2")
    read = members.read(
        report(lacking, record(node="N_3"), twice, record(value="-", node="N_4"), record(value="x", node="N_5")), "a"
    )
    assert read.ticks["location"].to_list() == ["N_3"]
    assert read.rejects.select("row", "line", "field").rows() == [(1, 1, "VALUE"), (3, 3, "VALUE"), (5, 5, "VALUE")]
    assert read.rejects["value"][0] == "2024-06-01T20:00:00-00:00 2024-06-01T20:05:00-00:00 N_1 LMP_PRC"
    assert read.rejects["reason"].to_list() == [
        "the record has no VALUE", "the record has VALUE 2 times", "VALUE 'x' is not a finite decimal number",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "told"),
    [(report(record())[:-30], "truncated"), (report(record("NS_CLR_PRC")), "no LMP report"),
     (report(), "no data row"), (report(record(), run="RUC"), "the report holds RUC"),
     (document(), "no data row"), (document(item(record(), run="", name="")), "MKT_TYPE is blank"),
     (b"<OASISReport/>", "no data row"), (b"<a><OASISReport/></a>", "is no OASISReport"),
     (b'<!DOCTYPE a [<!ENTITY b "c">]>' + report(record("&b;")), "document type"),
     (report(record()).replace(b"<REPORT_ITEM>", b"<REPORT_ITEM>&b;"), "cannot be read")],
)  # fmt: skip
def test_what_is_no_report_of_prices_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(DataProcessingError, match=told):
        caiso.parse(Document(content, "a.xml"))


@pytest.mark.parametrize(
    "name", ["PRC_AS", "PRC_SPTIE_LMP", "PRC_CD_INTVL_LMP", "PRC_MPM_RTM_LMP", "PRC_RTM_LAP", "PRC_RTM_NOMOGRAM"]
)
def test_records_of_other_reports_are_refused_whatever_they_look_like(name: str) -> None:
    other = item(record(node="N_2"), name=name)
    with pytest.raises(DataProcessingError, match=f"it is of {name}"):
        caiso.parse(Document(document(other), "a.xml"))
    mixed = members.read(document(item(record()), other, item(record(node="N_3"))), "a.xml")
    assert mixed.ticks.select("location", "row").rows() == [("N_1", 1), ("N_3", 3)]
    assert mixed.rejects.select("row", "field", "value").rows() == [(2, "REPORT", name)]


@pytest.mark.parametrize(
    ("run", "name", "product", "end"),
    [("", "PRC_CURR_LMP", "rt_5min", "20:05"), ("RTM", "PRC_CURR_LMP", "rt_5min", "20:05"),
     ("HASP", "PRC_HASP_LMP", "hasp_15min", "20:15"), ("RTPD", "PRC_RTPD_LMP", "rt_15min", "20:15"),
     ("DAM", "PRC_LMP", "da_hourly", "21:00"), ("", "PRC_LMP", "da_hourly", "21:00"), ("RTM", "", "rt_5min", "20:05")],
)  # fmt: skip
def test_the_header_tells_the_product(run: str, name: str, product: str, end: str) -> None:
    content = document(item(record().replace("20:05", end), run=run, name=name))
    read = members.read(content, "a.xml")
    assert read.rejects.is_empty()
    assert read.ticks["product"].to_list() == [product]
    with pytest.raises(DataProcessingError, match="no row is of market run"):
        caiso.parse(Document(content, "a", "caiso", "hasp_15min" if product != "hasp_15min" else "rt_5min"))


def test_an_item_for_each_record_as_the_current_prices_have_it() -> None:
    parts = {"LMP_PRC": "3.5", "LMP_ENE_PRC": "3", "LMP_CONG_PRC": ".5"}
    items = [item(record(kind, value, f"N_{node}"), run="", name="PRC_CURR_LMP")
             for node in range(300) for kind, value in parts.items()]  # fmt: skip
    read = members.read(document(*items), "a.xml")
    assert read.rejects.is_empty()
    assert read.ticks.select("location", "price", "congestion", "loss", "row").rows() == [
        (f"N_{node}", Decimal("3.5"), Decimal("0.5"), None, 3 * node + 1) for node in range(300)
    ]


def test_items_of_two_runs_in_one_document() -> None:
    hourly = record(value="7").replace("20:05", "21:00")
    read = members.read(document(item(record()), item(hourly, run="DAM", name="PRC_LMP")), "a.xml")
    assert read.ticks.select("product", "price").rows() == [("rt_5min", Decimal("31.5")), ("da_hourly", Decimal(7))]


@pytest.mark.parametrize(
    ("value", "price"),
    [("<!-- a -->3<!-- b -->1", "31"), ("3<?a b?>1", "31"), ("<![CDATA[3]]>1", "31"), ("&#51;1", "31"),
     ("\n  31.5\n", "31.5"), ("-.05", "-0.05")],
)  # fmt: skip
def test_a_text_is_whole_whatever_stands_within_it(value: str, price: str) -> None:
    read = members.read(report(record(value=value)), "a.xml")
    assert read.ticks["price"].to_list() == [Decimal(price)]


@pytest.mark.parametrize("value", ["3<b/>1", "3<b>2</b>1", "<VALUE>3</VALUE>"])
def test_a_value_that_holds_elements_is_none(value: str) -> None:
    read = members.read(report(record(value=value), record(node="N_2")), "a.xml")
    assert read.ticks["location"].to_list() == ["N_2"]
    assert read.rejects.select("row", "field").rows() == [(1, "VALUE")]


def test_a_blank_before_the_document_no_namespace_and_bytes_that_are_no_text() -> None:
    good, bad = record(node="N_1"), record(node="N_2")
    content = b"\n " + document(item(good, bad), space="").replace(b"N_2", b"N\xff2") + b"\n\n"
    read = members.read(content, "a.xml")
    assert read.ticks["location"].to_list() == ["N_1"]
    assert read.rejects.select("row", "field", "value").rows() == [(2, "RESOURCE_NAME", "N\ufffd2")]


def test_an_error_answer_tells_its_code_and_text() -> None:
    error = "<ERROR><ERR_CODE>1015</ERR_CODE><ERR_DESC>GroupZip is in process</ERR_DESC></ERROR>"
    with pytest.raises(DataProcessingError, match="error 1015: GroupZip is in process"):
        caiso.parse(Document(document(error, prefix="m"), "a.xml"))


def test_every_cut_says_that_the_document_is_truncated() -> None:
    content = report(record(), record("LMP_ENE_PRC"))
    for size in range(content.index(b"REPORT_ITEM"), len(content)):
        with pytest.raises(DataProcessingError, match="the XML is truncated"):
            caiso.parse(Document(content[:size], "a.xml"))


@pytest.mark.parametrize(
    "content",
    [b'<!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><OASISReport>&b;</OASISReport>',
     b'<!DOCTYPE l SYSTEM "http://localhost/x.dtd"><OASISReport/>', b"<OASISReport>" + b"<a>" * 5000,
     b"<OASISReport>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</OASISReport>", b"<OASISReport>\x00</OASISReport>",
     b'<?xml version="1.0" encoding="no-such"?><OASISReport/>', b"<OASISReport><a></OASISReport>"],
)  # fmt: skip
def test_tricks_of_xml_are_refused(content: bytes) -> None:
    with pytest.raises(DataProcessingError, match=r"document type|cannot be read|truncated"):
        caiso.parse(Document(content, "a.xml"))


WHOLE = document(item(record(), record("LMP_ENE_PRC", "30"), record(node="N_2")), item(record(node="N_3")))


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4), st.booleans())
def test_changed_bytes_lose_no_record(changes: list[tuple[int, int]], swapped: bool) -> None:
    data = bytearray(WHOLE)
    for at, byte in changes:
        data[at] = byte
    content = bytes(data).replace(b"RESOURCE_NAME", b"VALUE") if swapped else bytes(data)
    try:
        parsed = caiso.parse(Document(content, "a.xml"))
    except DataProcessingError:
        return  # refused as a whole
    assert parsed.parts is not None
    rows = [*parsed.rejects["row"], *parsed.parts.frame.filter(~pl.col("refused"))["row"]]
    assert sorted(rows) == list(range(1, parsed.rows + 1))
