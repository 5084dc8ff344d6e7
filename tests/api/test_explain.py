"""The route that explains a bar: what it answers, for whom, and what it refuses."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from api.explain import bars as explain
from api.reads.stores import BAR
from service import clock
from tests.api import fakes
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import document, generic

START = fakes.START
MINUTE = timedelta(minutes=1)
NODE: Row = {"instrument": fakes.NODE, "location": "TH_NP15_GEN-APND"}
ASK = {"instrument": fakes.NODE, "interval": "15m", "start": "2026-07-01T00:00:00Z"}


@pytest.fixture
async def http(reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A quarter of an hour of a node: 1, then 20 in the second five minutes, which came late."""
    monkeypatch.setattr(clock, "now", lambda: START + timedelta(hours=5))
    first = document("public", START, "1", known_at=START, topic_id="T", offset=1, **NODE)
    later = first | {"price": Decimal("-2"), "known_at": START + MINUTE, "offset": 2}
    late = document("public", START + 5 * MINUTE, "20", known_at=START + 40 * MINUTE, topic_id="T", offset=3, **NODE)
    reads.told, reads.topics = [first, later, late], {"T": "prices.raw"}
    reads.bar_rows = [bar(reads, fakes.NODE)]
    async with fakes.client(reads, reads.add_key()) as client:
        yield client


def bar(reads: fakes.FakeReads, name: str, **more: object) -> dict[str, object]:
    row: dict[str, object] = {}
    row |= dict.fromkeys(BAR)
    row |= {
        "tenant": "public", "instrument": name, "interval": "15m", "start": START, "end": START + 15 * MINUTE,
        "open": Decimal(-2), "high": Decimal(20), "low": Decimal(-2), "close": Decimal(20), "twap": Decimal(9),
        "covered_seconds": Decimal(600), "count": 2, "flags": 1, "revision": 2, "updated_at": START + 40 * MINUTE,
    }  # fmt: skip
    return row | more


async def told(client: httpx.AsyncClient, **ask: str) -> dict[str, Any]:
    answer = await client.get("/v1/bars/explain", params=ASK | ask)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


async def test_a_bar_is_explained_from_its_messages(http: httpx.AsyncClient) -> None:
    found = await told(http)
    shown = (await http.get("/v1/bars", params=ASK)).json()["data"]
    assert [found["bar"]] == shown
    assert (found["agrees"], found["complete"], found["rule_version"], found["advice"]) == (True, None, 1, None)
    assert found["formula"] == {
        "open": "price 1 = -2", "high": "price 2 = 20, the highest", "low": "price 1 = -2, the lowest",
        "close": "price 2 = 20", "count": "2, how many prices there are", "volume": None, "vwap": None,
        "twap": "((-2) × 300 + 20 × 300) ÷ (300 + 300) = 5400 ÷ 600 = 9",
        "revision": "1 (changes of a price) + 1 (prices first known after 2026-07-01T00:20:00Z) = 2",
    }  # fmt: skip
    names = ("topic", "topic_id", "partition", "offset", "row", "counts", "why", "effective", "revision", "price")
    assert [[each[name] for name in names] for each in found["publications"]] == [
        ["prices.raw", "T", 0, 1, 1, False, "superseded", True, None, 1],
        ["prices.raw", "T", 0, 2, 1, True, None, True, "changed", -2],
        ["prices.raw", "T", 0, 3, 1, True, None, True, "late", 20],
    ]
    assert found["prices"][0] == {
        "order": 1, "publication": 1, "interval_start": "2026-07-01T00:00:00Z", "held_until": "2026-07-01T00:05:00Z",
        "seconds": 300, "price": -2, "volume": None,
    }  # fmt: skip


async def test_prices_are_texts_on_request(http: httpx.AsyncClient) -> None:
    found = await told(http, price_type="decimal")
    assert (found["bar"]["open"], found["prices"][1]["price"], found["publications"][0]["price"]) == ("-2", "20", "1")


async def test_a_bar_as_it_was_known(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    one: dict[str, object] = {"close": Decimal(-2), "high": Decimal(-2), "twap": Decimal(-2), "count": 1, "revision": 1}
    one |= {"covered_seconds": Decimal(300), "updated_at": START + MINUTE}
    reads.bar_rows = [bar(reads, fakes.NODE, **one)]
    reads.landed = START + 10 * MINUTE
    for minutes, complete in (("02", True), ("30", False)):
        found = await told(http, as_of=f"2026-07-01T00:{minutes}:00Z")
        assert (found["complete"], found["agrees"]) == (complete, True)
        assert [each["offset"] for each in found["publications"]] == [1, 2]


async def test_a_price_that_is_not_in_the_bar_yet_is_told(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    reads.told.append(document("public", START + 10 * MINUTE, "5", known_at=START + 50 * MINUTE, offset=9, **NODE))
    assert (await told(http))["agrees"] is False
    for row in reads.told:  # all of them were withdrawn, and the bar is still there
        row["flags"] = 64
    found = await told(http)
    assert (found["agrees"], found["formula"], found["prices"], found["advice"]) == (False, None, [], None)


async def test_too_many_publications_are_said(
    http: httpx.AsyncClient, reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain, "MOST", 2)
    found = await told(http)
    assert (found["formula"], found["prices"], found["agrees"], found["publication_count"]) == (None, [], None, 3)
    assert len(found["publications"]) == 2
    assert "Ask for interval 5m." in found["advice"]
    reads.bar_rows = [bar(reads, fakes.NODE, interval="5m", end=START + 5 * MINUTE)]
    reads.told += [reads.told[0] | {"offset": 20 + n} for n in range(3)]
    assert "/v1/ticks" in (await told(http, interval="5m"))["advice"]


@pytest.mark.parametrize(
    ("ask", "status", "words"),
    [
        ({"instrument": "NOBODY"}, 404, "/v1/instruments"),
        ({"instrument": fakes.SECRET_NODE}, 404, "/v1/instruments"),
        ({"start": "2026-07-01T01:00:00Z"}, 404, "none of its prices counts"),
        ({"start": "2026-07-01T00:01:00Z"}, 422, "starts at 2026-07-01T00:00:00Z"),
        ({"interval": "1d", "start": "2026-07-01T07:00:00Z"}, 422, "starts at 2026-07-01T00:00:00Z"),
        ({"interval": "1m"}, 422, "no bars finer than 5m"),
        ({"interval": "2h"}, 422, "interval"),
        ({"as_of": "2099-01-01T00:00:00Z"}, 422, "future"),
        ({"limit": "5"}, 422, "no parameter"),
        ({"tenant": "other"}, 404, "tenant"),
    ],
)
async def test_what_cannot_be_explained(http: httpx.AsyncClient, ask: dict[str, str], status: int, words: str) -> None:
    answer = await http.get("/v1/bars/explain", params=ASK | ask)
    assert answer.status_code == status
    assert words in answer.text


async def test_a_day_begins_where_the_instruments_zone_says(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    reads.reference[1] |= {"zone": "America/Los_Angeles"}
    answer = await http.get("/v1/bars/explain", params=ASK | {"interval": "1d"})
    assert "in America/Los_Angeles. The one that holds it starts at 2026-06-30T07:00:00Z" in answer.text


async def test_instruments_are_given_once(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/v1/bars/explain?instrument=a&instrument=b&interval=1h&start={ASK['start']}")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "instrument")


async def test_it_takes_the_scope_of_bars(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    async with fakes.client(reads, reads.add_key(scopes=frozenset({"prices:read"}))) as client:
        refused = await client.get("/v1/bars/explain", params=ASK)
    assert refused.status_code == 403
    assert "bars:read" in refused.text


async def test_own_bars_come_before_public_ones(http: httpx.AsyncClient, reads: fakes.FakeReads) -> None:
    """Of an instrument that both have: a stream, whose prices hold no time."""
    reads.reference.append(fakes.instrument(fakes.GAS, "other"))
    own = generic("other", START, "7", instrument=fakes.GAS, market="henry_hub", known_at=START)
    reads.told = [own, own | {"tenant": "public", "price": Decimal(8)}]
    same = dict.fromkeys(("open", "high", "low", "close"), Decimal(7))
    none = {"twap": None, "covered_seconds": Decimal(0), "count": 1, "revision": 0, "updated_at": START}
    reads.bar_rows = [bar(reads, fakes.GAS, tenant="other", **same | none)]
    async with fakes.client(reads, reads.add_key("other")) as client:
        found = await told(client, instrument=fakes.GAS)
        assert (found["bar"]["tenant"], found["agrees"], found["formula"]["twap"]) == ("other", True, None)
        assert [each["price"] for each in found["publications"]] == [7]
        assert found["prices"][0]["seconds"] is None
        public = await client.get("/v1/bars/explain", params=ASK | {"instrument": fakes.GAS, "tenant": "public"})
        assert public.status_code == 404


async def test_whether_a_bar_was_final_cannot_change(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    """Of a complete past what had arrived by then tells; of now what had arrived before the bar was read."""
    reads.bar_rows = [bar(reads, fakes.NODE, count=3)]
    found = list[bool]()
    for arrived in (timedelta(minutes=10), timedelta(days=8)):
        reads.past, reads.landed = START + arrived, START + timedelta(days=9)
        found.append((await told(http, as_of="2026-07-01T04:00:00Z"))["bar"]["is_final"])
    assert found == [True, True]

    read = reads.stored_bar

    async def beside_more(*given: Any) -> Any:
        reads.past = START + timedelta(days=8)
        return await read(*given)

    reads.stored_bar, reads.past = beside_more, START + timedelta(minutes=10)  # type: ignore[method-assign]
    assert (await told(http))["bar"]["is_final"] is False
