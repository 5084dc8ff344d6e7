"""Gas: chains, strips, daily bars and spot prices, in made-up documents of the same forms."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline import members
from pipeline.documents import Document, ParsedDocument
from pipeline.errors import DataProcessingError
from pipeline.markets import henry_hub

DAY = timedelta(days=1)


def contract(code: str, month: int, year: int, price: object, at: str | None = "2026-01-27T21:59:53.000Z") -> object:
    return {"contract": "?", "symbol": f"{code}.NYM", "month": month, "year": year, "cmeCode": code, "price": price,
            "open": 1.5, "high": 2, "low": 1, "volume": 55, "lastUpdate": at, "expiryDate": "2026-01-28"}  # fmt: skip


def chain(*contracts: object) -> bytes:
    return json.dumps({"lastUpdated": "2026-01-27T22:12:37.754Z", "data": contracts}).encode()


def parse(content: bytes, name: str = "document", product: str | None = None) -> ParsedDocument:
    return henry_hub.parse(Document(content, name, "henry_hub", product))


def test_a_contract_has_the_instant_of_its_own_update_and_no_end() -> None:
    read = parse(chain(contract("NGG26", 2, 2026, 6.5), contract("NGX28", 11, 2028, -0.125, "2026-01-21T09:00:00Z")))
    at = datetime(2026, 1, 27, 21, 59, 53, tzinfo=UTC)
    shown = read.ticks.select("instrument", "location_type", "ts", "end", "hold_end", "price", "volume", "row").rows()
    assert shown == [
        ("henry_hub.futures.NGG26", "future", at, None, None, Decimal("6.5"), None, 1),
        (
            "henry_hub.futures.NGX28",
            "future",
            datetime(2026, 1, 21, 9, tzinfo=UTC),
            None,
            None,
            Decimal("-0.125"),
            None,
            2,
        ),
    ]
    assert read.rejects.is_empty()


@pytest.mark.parametrize(
    ("bad", "told"),
    [(contract("NGG26", 3, 2026, 1), "is not the contract of the month and year"),
     (contract("NGG26", 2, 2027, 1), "is not the contract of the month and year"),
     (contract("CLG26", 2, 2026, 1), "is no contract of Henry Hub"), (contract("NGG26", 2, 2026, "x"), "price 'x'"),
     (contract("NGG26", 2, 2026, 1, None), "lastUpdate is absent"),
     (contract("NGG26", 2, 2026, 1, "2026-01-27"), "lastUpdate '2026-01-27'"), (7, "record")],
)  # fmt: skip
def test_a_bad_contract_refuses_itself_alone(bad: object, told: str) -> None:
    read = parse(chain(contract("NGH26", 3, 2026, 3.75), bad, contract("NGJ26", 4, 2026, None)))
    assert read.ticks["location"].to_list() == ["NGH26"]
    assert read.rejects["row"].to_list() == [2]
    assert told in read.rejects["reason"][0]


def test_a_strip_is_a_day_of_each_position_and_an_empty_cell_is_none() -> None:
    content = b"date,NG01,NG02\r\n2018-01-02,3.5,-.05\r\n2018-01-15,,\r\n2018-01-16,abc,2\r\nsoon,1,2\r\n"
    read = parse(content)
    first, last = datetime(2018, 1, 2, tzinfo=UTC), datetime(2018, 1, 16, tzinfo=UTC)
    shown = read.ticks.select("instrument", "start", "end", "hold_end", "price", "row").rows()
    assert shown == [
        ("henry_hub.futures.NG01", first, first + DAY, first + DAY, Decimal("3.5"), 1),
        ("henry_hub.futures.NG02", first, first + DAY, first + DAY, Decimal("-0.05"), 1),
        ("henry_hub.futures.NG02", last, last + DAY, last + DAY, Decimal(2), 3),
    ]
    assert read.rejects.select("row", "field", "value").rows() == [(3, "NG01", "abc"), (4, "date", "soon")]


def test_spot_prices_need_a_name_that_tells_whose_they_are() -> None:
    content = b"Date,Price\n1997-01-07,3.82\n1997-01-08,\n1997-01-09,30.72\n"
    read = members.read(content, "henry_hub_spot_daily.csv")
    assert read.ticks.select("instrument", "price").rows() == [
        ("henry_hub.spot.HENRY_HUB", Decimal("3.82")), ("henry_hub.spot.HENRY_HUB", Decimal("30.72")),
    ]  # fmt: skip
    assert members.read(content, "a.csv").refused[0][1].message.startswith("whose document this is cannot be told")
    assert members.read(content, "a.csv", "henry_hub", "spot").ticks.height == 2


def test_eia_s_answer_is_read_for_the_daily_series_alone() -> None:
    rows = [{"period": "2024-01-05", "series": "RNGWHHD", "value": "2.75", "units": "$/MMBTU"},
            {"period": "2024-01-05", "series": "RNGC1", "value": 9},
            {"period": "2024-01", "series": "RNGWHHD", "value": 1}]  # fmt: skip
    read = members.read(json.dumps({"response": {"total": 3, "data": rows}}).encode(), "x.json")
    assert read.ticks.select("product", "price").rows() == [("spot", Decimal("2.75"))]
    assert read.rejects.select("row", "field").rows() == [(2, "series"), (3, "period")]


def test_a_daily_bar_has_its_volume_and_nothing_is_rounded() -> None:
    bars = [{"date": "2025-08-21", "open": 1, "close": 2.75, "volume": 115270},
            {"date": "2025-08-22", "close": 2.697999954223633, "volume": 1}]  # fmt: skip
    read = members.read(json.dumps({"lastUpdated": "x", "data": bars}).encode(), "ng_front_historical.json")
    assert read.ticks.select("location", "price", "volume").rows() == [("NG=F", Decimal("2.75"), Decimal(115270))]
    assert "has more than 9 decimals" in read.rejects["reason"][0]


@pytest.mark.parametrize(
    ("content", "product", "told"),
    [(b"cmdty,tick.prefix,Last.Trade\ncmeng,NG,2003-01-29\n", None, "calendar"),
     (b"nymex,ice\n2009-09-07,\n", None, "calendar"),
     (b"<html>", None, "web page"), (b"a,b\n1,2\n", None, "no chain, strip"),
     (b"date,NG01\n2018-01-02,1\n", "spot", "of futures"),
     (b"date,NG01\n2018-01-02,1\n", "tick", "none of Henry Hub's"), (b"date,NG01\n", None, "no data row"),
     (b'{"data":[{"cmeCode":"NGG26"', None, "truncated")],
)  # fmt: skip
def test_what_holds_no_prices_is_refused(content: bytes, product: str | None, told: str) -> None:
    with pytest.raises(DataProcessingError, match=told):
        parse(content, product=product)
