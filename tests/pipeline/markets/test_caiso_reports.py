"""Reports of OASIS as CSV whose columns are those of LMP and whose prices are not, and headers as they occur."""

import pytest

from pipeline import markets, members
from pipeline.documents import Document
from pipeline.errors import DataProcessingError
from pipeline.markets import caiso
from tests.pipeline.making import interval, oasis, oasis_row

NAME = "20240601_20240601_PRC_INTVL_LMP_RTM_20240602_00_00_00_v3.csv"
PLAIN = oasis(*interval())
MARKED = b"\xef\xbb\xbf\r\n" + PLAIN.replace(b"\n", b"\r\n")
QUOTED = b"\n".join(b'"' + line.replace(b",", b'","') + b'"' for line in PLAIN.splitlines())


def test_prices_of_pairs_of_node_and_tie_are_refused() -> None:
    content = oasis(*interval()).replace(b"PNODE_RESMRID", b"TIE")
    with pytest.raises(DataProcessingError, match="pairs of node and tie"):
        caiso.parse(Document(content, NAME))
    assert caiso.claims(NAME, content)


@pytest.mark.parametrize("report", ["PRC_MPM_RTM_LMP", "PRC_CD_INTVL_LMP", "PRC_SPTIE_LMP", "prc_cd_sptie_lmp"])
def test_a_file_named_after_another_report_is_refused(report: str) -> None:
    name = NAME.replace("PRC_INTVL_LMP", report)
    with pytest.raises(DataProcessingError, match=f"of {report.upper()}, as the file's name says"):
        caiso.parse(Document(oasis(*interval()), name))


def test_a_report_with_xml_s_names_in_its_header_is_ours_and_refused() -> None:
    content = b"OPR_DATE,INTERVAL_START_GMT,INTERVAL_END_GMT,MARKET_TYPE,DATA_ITEM,RESOURCE_NAME,VALUE\n1,2,3,4,5,6,7\n"
    with pytest.raises(DataProcessingError, match="no LMP report of OASIS: it has no column INTERVALSTARTTIME_GMT"):
        markets.parse(Document(content, "lap.csv"))


@pytest.mark.parametrize("name", [NAME, "x.csv", "20240601_PRC_CURR_LMP_RTM.csv", "RTM_LMP_GRP.csv"])
@pytest.mark.parametrize("content", [PLAIN, MARKED, QUOTED], ids=["plain", "marked", "quoted"])
def test_the_product_is_told_whatever_the_name_quotes_and_line_ends(name: str, content: bytes) -> None:
    read = members.read(content, name)
    assert (read.ticks["product"].to_list(), read.rejects.height) == (["rt_5min"], 0)


def test_more_columns_and_another_order_change_nothing() -> None:
    rows = [line.split(",") for line in oasis(*interval(), oasis_row("MGHG", "0.5")).decode().splitlines()]
    moved = "\n".join(",".join([*reversed(row), "more"]) for row in rows).encode()
    assert members.read(moved, NAME).ticks.equals(
        members.read(oasis(*interval(), oasis_row("MGHG", "0.5")), NAME).ticks
    )
