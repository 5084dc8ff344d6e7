"""Daily spot prices in the tables of EIA and FRED, what only looks like them, and damaged documents of every form."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import markets, members
from pipeline.documents import Document
from pipeline.errors import DataProcessingError
from pipeline.markets import henry_hub

EIA = """Henry Hub Natural Gas Spot Price
https://www.eia.gov/dnav/ng/hist/rngwhhdD.htm
16:21:26 GMT-0400 (Eastern Daylight Time)
Source: U.S. Energy Information Administration

Day,Henry Hub Natural Gas Spot Price Dollars per Million Btu
01/08/1997,3.5
01/07/1997,{price}
"""
SHEET = """Back to Contents,Data 1: Henry Hub Natural Gas Spot Price (Dollars per Million Btu)
Sourcekey,RNGWHHD
Date,Henry Hub Natural Gas Spot Price (Dollars per Million Btu)
"Jan 07, 1997",{price}
"Jan 08, 1997",3.5
"""
FRED = "observation_date,DHHNGSP\n1997-01-07,{price}\n1997-01-08,3.5\n1997-01-09,.\n"
BARE = "Date,Price\n1997-01-07,{price}\n1997-01-08,3.5\n"
TURNED = '\ufeff"price","date"\r\n{price},1/7/1997\r\n3.5,1997-01-08\r\n'
FIRST, DAY = datetime(1997, 1, 7, tzinfo=UTC), timedelta(days=1)


@pytest.mark.parametrize(
    ("table", "name"),
    [(EIA, "a.csv"), (SHEET, "a.csv"), (FRED, "a.csv"), (BARE, "natural-gas-daily.csv"), (TURNED, "henry_hub.csv")],
    ids=["eia", "sheet", "fred", "bare", "turned"],
)
def test_every_table_says_the_same(table: str, name: str) -> None:
    content = table.format(price="-.25").encode()
    read = members.read(content, name)
    assert read.rejects.is_empty()
    assert read.ticks["product"].unique().to_list() == ["spot"]
    assert read.ticks.sort("ts").select("instrument", "location_type", "start", "end", "hold_end", "price").rows() == [
        ("henry_hub.spot.HENRY_HUB", "hub", FIRST, FIRST + DAY, FIRST + DAY, Decimal("-0.25")),
        ("henry_hub.spot.HENRY_HUB", "hub", FIRST + DAY, FIRST + 2 * DAY, FIRST + 2 * DAY, Decimal("3.5")),
    ]


@pytest.mark.parametrize(
    ("table", "line", "row"),
    [(EIA, 8, 2), (SHEET, 4, 1), (FRED, 2, 1), (BARE, 2, 1)],
    ids=["eia", "sheet", "fred", "bare"],
)
def test_a_refused_row_has_the_line_of_its_file(table: str, line: int, row: int) -> None:
    read = members.read(table.format(price="x").encode(), "henry_hub.csv")
    assert read.rejects.select("row", "line", "value").rows() == [(row, line, "x")]
    assert read.ticks["price"].to_list() == [Decimal("3.5")]


@pytest.mark.parametrize("bad", ["1/7/97", "1997-01", "1997-02-30", "1997-01-07 09:00", "Jan 1997", "", "1989-12-31"])
def test_a_date_is_a_day_of_a_known_century(bad: str) -> None:
    read = members.read(f"Date,Price\n{bad},1\n1997-01-08,2\n".encode(), "henry_hub.csv")
    assert read.ticks["row"].to_list() == [2]
    assert read.rejects.select("row", "field", "value").rows() == [(1, "Date", bad)]


def _dated(days: list[date]) -> bytes:
    return "\n".join(["Date,Price", *(f"{day},2.5" for day in days)]).encode()


WEEKS = [date(1997, 1, 10) + timedelta(days=7 * week) for week in range(5)]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"Month,Price\n1997-01,3.5\n", "means of weeks, months"),
     (b"Week of,Henry Hub Natural Gas Spot Price Dollars per Million Btu\n1/10/1997,3\n", "means of weeks, months"),
     (_dated(WEEKS), "7 days apart"), (_dated([date(1997, month, 15) for month in range(1, 9)]), "31 days apart"),
     (_dated([date(year, 1, 1) for year in range(1997, 2002)]), "365 days apart"),
     (_dated([date(1997, month, 1) for month in range(1, 13, 3)]), "90 days apart")],
)  # fmt: skip
def test_means_of_longer_periods_are_no_prices_of_days(content: bytes, told: str) -> None:
    with pytest.raises(DataProcessingError, match=told):
        markets.parse(Document(content, "natural-gas.csv"))
    assert members.read(_dated(WEEKS[:3]), "natural-gas.csv").ticks.height == 3, "too few to tell"


def test_a_name_that_speaks_of_futures_leaves_a_doubt() -> None:
    content, name = BARE.format(price="1").encode(), "ng_front_futures.csv"
    with pytest.raises(DataProcessingError, match="name the product"):
        henry_hub.parse(Document(content, name))
    assert members.read(content, name, "henry_hub", "spot").ticks.height == 2


@pytest.mark.parametrize(
    "head", [b"Date,Price,Change\n", b"Date,Open,High,Low,Close\n", b"Date,Load\n", b"", b"Price\n", b"date,NG00\n"]
)
def test_other_tables_are_neither_claimed_nor_read(head: bytes) -> None:
    assert not henry_hub.claims("natural-gas.csv", head)
    with pytest.raises(DataProcessingError, match="no chain, strip, daily bar or spot price"):
        henry_hub.parse(Document(head, "natural-gas.csv"))


@pytest.mark.parametrize("frequency", ["weekly", "monthly", 7])
def test_an_answer_of_eia_of_another_frequency_is_refused(frequency: object) -> None:
    data = [{"period": "2026-08-28", "series": "RNGWHHD", "value": "3"}]
    content = json.dumps({"response": {"frequency": frequency, "data": data}}).encode()
    with pytest.raises(DataProcessingError, match="daily ones are read"):
        henry_hub.parse(Document(content, "a.json"))


@pytest.mark.parametrize(
    ("header", "told"), [("date,NG01,CL01", "this has CL01"), ("day,date,NG01", "2 columns of dates"),
                         ("NG01,NG02,NG03", "0 columns of dates"), ("date,NG01,NG01", "NG01 2 times")]
)  # fmt: skip
def test_a_strip_with_other_columns_is_refused(header: str, told: str) -> None:
    with pytest.raises(DataProcessingError, match=told):
        henry_hub.parse(Document(f"{header}\n2018-01-02,1,2\n".encode(), "a.csv"))


MONTHS = ((3, 2026), ("03", 26), (3.0, None), ("x", 2026), (3, "soon"), (4, 2026))
CHAIN = {
    "data": [
        {"cmeCode": "NGH26", "month": month, "year": year, "price": 3.5, "lastUpdate": "2026-01-27T21:00:00Z"}
        for month, year in MONTHS
    ]
}


def test_month_and_year_may_be_absent_and_may_not_be_others() -> None:
    read = members.read(json.dumps(CHAIN).encode(), "a.json")
    assert read.ticks["row"].to_list() == [1]  # the next two only repeat it
    assert read.rejects.select("row", "field").rows() == [(4, "cmeCode"), (5, "cmeCode"), (6, "cmeCode")]


def test_a_chain_of_another_commodity_is_not_claimed() -> None:
    assert not henry_hub.claims("chain.json", json.dumps(CHAIN).replace("NGH26", "CLH26").encode())


FORMS = {
    "chain": json.dumps(CHAIN).encode(),
    "bars": b'{"data":[{"date":"2026-01-02","close":2.75,"volume":5},{"date":"2026-01-05","close":3,"volume":null}]}',
    "strips": b"date,NG01,NG02\n2018-01-02,3.5,2\n2018-01-03,,1\n",
    "eia": b'{"response":{"data":[{"period":"2026-08-28","series":"RNGWHHD","value":"3"}]}}',
    **{name: table.format(price="1.5").encode() for name, table in (("table", EIA), ("sheet", SHEET), ("fred", FRED))},
}


@pytest.mark.parametrize("form", list(FORMS))
@given(st.data())
def test_nothing_but_a_refusal_comes_of_a_damaged_document(form: str, data: st.DataObject) -> None:
    content = bytearray(FORMS[form])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    size = data.draw(st.sampled_from([len(content), data.draw(st.integers(0, len(content)))]))
    try:
        parsed = markets.parse(Document(bytes(content[:size]), "henry_hub", "henry_hub"))
    except DataProcessingError:
        return
    told = [*parsed.ticks["row"], *parsed.rejects["row"]]
    assert all(1 <= row <= parsed.rows for row in told)
    assert not parsed.ticks["price"].null_count()
    assert parsed.ticks.filter(parsed.ticks["ts"] != parsed.ticks["start"]).is_empty()
