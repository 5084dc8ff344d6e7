"""OASIS reports as XML: the same prices as the CSV report says, and nothing of XML's own tricks."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

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


def report(*records: str, run: str = "RTM", prefix: str = "") -> bytes:
    body = f"<REPORT_ITEM><REPORT_HEADER><MKT_TYPE>{run}</MKT_TYPE></REPORT_HEADER>{''.join(records)}</REPORT_ITEM>"
    space = f"xmlns{prefix and ':'}{prefix}='http://www.caiso.com/soa/OASISReport_v1.xsd'"
    text = re.sub(r"<(/?)(\w)", rf"<\1{prefix}{prefix and ':'}\2", f"<OASISReport>{body}</OASISReport>")
    return f'<?xml version="1.0"?>{text.replace("OASISReport>", f"OASISReport {space}>", 1)}'.encode()


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
    assert caiso.detect("", content) == "rt_5min"


def test_a_record_without_a_field_refuses_itself_alone() -> None:
    lacking, twice = record().replace("<VALUE>31.5</VALUE>", ""), record(more="<VALUE>1</VALUE>", node="N_2")
    read = members.read(
        report(lacking, record(node="N_3"), twice, record(value="-", node="N_4"), record(value="x", node="N_5")), "a"
    )
    assert read.ticks["location"].to_list() == ["N_3"]
    assert read.rejects.select("row", "field").rows() == [(1, "record"), (3, "record"), (5, "VALUE")]
    assert "not exactly one VALUE" in read.rejects["reason"][0]


@pytest.mark.parametrize(
    ("content", "told"),
    [(report(record())[:-30], "truncated"), (report(record("NS_CLR_PRC")), "no LMP report"),
     (report(), "no data row"), (report(record(), run="RUC"), "market run"),
     (b'<!DOCTYPE a [<!ENTITY b "c">]>' + report(record("&b;")), "document type"),
     (report(record()).replace(b"<REPORT_ITEM>", b"<REPORT_ITEM>&b;"), "cannot be read")],
)  # fmt: skip
def test_what_is_no_report_of_prices_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(DataProcessingError, match=told):
        caiso.parse(Document(content, "a.xml"))
