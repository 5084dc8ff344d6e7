import json
from datetime import datetime, timedelta
from decimal import Decimal

import httpx
import polars as pl
import pytest

from api import shapes
from api.reads.stores import BAR
from pipeline.flags import Flag
from service import clock
from tests.api import fakes

TICK_FIELDS = [
    "instrument", "market", "product", "location", "location_type", "interval_start", "interval_end", "price",
    "energy", "congestion", "loss", "ghg", "volume", "bid", "ask", "unit", "currency", "flags", "version",
    "revision", "known_at", "tenant",
]  # fmt: skip
BAR_FIELDS = [
    "instrument", "interval", "start", "end", "open", "high", "low", "close", "volume", "vwap", "twap",
    "covered_seconds", "count", "flags", "is_final", "revision", "updated_at",
]  # fmt: skip
SINCE = "start=2026-07-01T00:00:00Z"


async def test_ticks_have_the_promised_fields_and_all_digits(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/v1/ticks?instrument={fakes.NODE}&{SINCE}")
    (row,) = json.loads(answer.content, parse_float=Decimal)["data"]
    assert list(row) == TICK_FIELDS
    assert row["price"] == Decimal("-31.123456789")
    assert row["interval_start"] == "2026-07-01T00:00:00Z"
    assert row["energy"] is None
    assert (row["unit"], row["flags"]) == ("USD/MWh", ["VALID"])


async def test_prices_come_as_text_when_asked(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/v1/ticks?instrument={fakes.NODE}&{SINCE}&price_type=decimal")
    assert answer.json()["data"][0]["price"] == "-31.123456789"


async def test_an_incomplete_reference_is_flagged(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/v1/ticks?instrument={fakes.GAS}&{SINCE}&limit=1")
    assert answer.json()["data"][0]["flags"] == ["VALID", "MISSING_METADATA"]


async def test_pages_join_without_gap_or_repeat(http: httpx.AsyncClient) -> None:
    address: str | None = f"/v1/ticks?instrument={fakes.GAS}&{SINCE}&limit=2"
    seen: list[str] = []
    pages = 0
    while address:
        answer = await http.get(address)
        seen += [row["interval_start"] for row in answer.json()["data"]]
        address = answer.links["next"]["url"] if "next" in answer.links else None
        assert (address is None) == (answer.json()["next"] is None)
        pages += 1
    assert pages == 3
    assert seen == [f"2026-07-01T00:0{n}:00Z" for n in range(5)]


async def test_a_cursor_belongs_to_its_query_and_caller(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    base = f"/v1/ticks?instrument={fakes.GAS}&{SINCE}"
    cursor = (await http.get(f"{base}&limit=2")).json()["next"]
    assert (await http.get(f"{base}&limit=1&cursor={cursor}")).status_code == 200
    assert (await http.get(f"{base}&end=2026-07-02T00:00:00Z&cursor={cursor}")).status_code == 422
    assert (await http.get(f"/v1/ticks?instrument={fakes.NODE}&{SINCE}&cursor={cursor}")).status_code == 422
    for place in (0, 20, -1):
        forged = list(cursor)
        forged[place] = "A" if forged[place] != "A" else "Q"
        assert (await http.get(f"{base}&cursor={''.join(forged)}")).status_code == 422
    async with fakes.client(reads, reads.add_key("acme")) as other:
        assert (await other.get(f"{base}&cursor={cursor}")).status_code == 422


async def test_a_cursor_keeps_the_start_that_the_first_page_worked_out(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: fakes.START + timedelta(days=1))
    first = await http.get(f"/v1/ticks?instrument={fakes.GAS}&limit=2")
    monkeypatch.setattr(clock, "now", lambda: fakes.START + timedelta(days=9))
    second = await http.get(first.links["next"]["url"])
    assert second.json()["query"]["start"] == first.json()["query"]["start"] == "2026-07-01T00:00:00Z"
    assert [row["price"] for row in second.json()["data"]] == [102.5, 103.5]


@pytest.mark.parametrize(("route", "span"), [("ticks?", 1), ("bars?interval=1h&", 1), ("bars?interval=1d&", 31)])
async def test_without_a_start_the_range_leads_up_to_its_end(http: httpx.AsyncClient, route: str, span: int) -> None:
    end = fakes.START + timedelta(days=1, microseconds=1)
    text = end.isoformat().replace("+", "%2B")
    answer = await http.get(f"/v1/{route}instrument={fakes.GAS}&end={text}")
    assert datetime.fromisoformat(answer.json()["query"]["start"]) == end - timedelta(days=span)


async def test_a_cursor_keeps_every_digit_of_the_start(http: httpx.AsyncClient) -> None:
    address = f"/v1/ticks?instrument={fakes.GAS}&limit=2&end=2026-07-02T00:00:00.000001Z"
    first = await http.get(address)
    second = await http.get(first.links["next"]["url"])
    assert second.json()["query"]["start"] == first.json()["query"]["start"] == "2026-07-01T00:00:00.000001Z"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2026-07-01T00:00Z", "2026-07-01T00:00:00Z"),
        ("2026-07-01t00:00:01.5z", "2026-07-01T00:00:01.500000Z"),
        ("2026-07-01T02:00:00.000001%2B02:00", "2026-07-01T00:00:00.000001Z"),
        ("1989-12-30T00:00:00Z", "1989-12-30T00:00:00Z"),
    ],
)
async def test_instants_are_those_of_rfc_3339(http: httpx.AsyncClient, given: str, meant: str) -> None:
    answer = await http.get(f"/v1/ticks?instrument={fakes.GAS}&start={given}&end=2100-01-01T00:00:00Z")
    assert answer.json()["query"] | {"start": meant, "end": "2100-01-01T00:00:00Z"} == answer.json()["query"]


async def test_a_tenant_reads_its_own_and_the_public_rows(reads: fakes.FakeReads) -> None:
    async with fakes.client(reads, reads.add_key("other")) as client:
        both = await client.get("/v1/instruments")
        own = await client.get("/v1/instruments?tenant=other")
    assert {row["instrument"] for row in both.json()["data"]} == {fakes.GAS, fakes.NODE, fakes.SECRET_NODE}
    assert [row["instrument"] for row in own.json()["data"]] == [fakes.SECRET_NODE]


async def test_instruments_page_in_order(http: httpx.AsyncClient) -> None:
    first = await http.get("/v1/instruments?limit=1")
    second = await http.get(first.links["next"]["url"])
    assert [first.json()["data"][0]["instrument"], second.json()["data"][0]["instrument"]] == [
        fakes.GAS,
        fakes.NODE,
    ]
    assert second.json()["next"] is None
    assert (await http.get("/v1/instruments?q=HH")).json()["data"][0]["instrument"] == fakes.GAS


async def test_latest_is_the_newest_with_its_freshness(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/v1/prices/latest?instrument={fakes.GAS}")
    (row,) = answer.json()["data"]
    assert list(row) == [*TICK_FIELDS, "mode", "age_seconds", "cadence_seconds", "status"]
    assert row["price"] == 104.5
    market = await http.get("/v1/prices/latest?market=caiso&product=rt_5min")
    assert [row["instrument"] for row in market.json()["data"]] == [fakes.NODE]


def _bar(name: str, **more: object) -> dict[str, object]:
    row: dict[str, object] = {}
    row |= dict.fromkeys(BAR)
    row |= dict.fromkeys(("open", "high", "low", "close"), Decimal("20.5"))
    row |= {"tenant": "public", "instrument": name, "interval": "1h", "start": fakes.START, "count": 3}
    row |= {"end": fakes.START + timedelta(hours=1), "flags": int(Flag.VALID), "revision": 0}
    return row | {"updated_at": fakes.START} | more


async def test_bars_have_the_promised_fields(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    reads.bar_rows = [_bar(fakes.GAS)]
    answer = await http.get(f"/v1/bars?instrument={fakes.GAS}&interval=1h&{SINCE}&end=2026-07-02T00:00:00Z")
    body = answer.json()
    assert list(body) == ["data", "next", "query"]
    (row,) = body["data"]
    assert list(row) == [*BAR_FIELDS, "tenant"]
    assert (row["open"], row["twap"], row["flags"]) == (20.5, None, ["VALID"])
    assert body["query"] == {
        "instrument": [fakes.GAS], "interval": "1h", "start": "2026-07-01T00:00:00Z",
        "end": "2026-07-02T00:00:00Z", "limit": 1000, "price_type": "number", "fill": "none",
    }  # fmt: skip


async def test_a_bar_is_final_once_over_and_whole() -> None:
    reference = await fakes.FakeReads().instruments_named(["public"], [fakes.NODE, fakes.GAS])
    rows = [_bar(fakes.NODE, count=12), _bar(fakes.NODE, count=11), _bar(fakes.GAS, count=1)]
    bars = pl.DataFrame(rows, schema=dict(BAR))
    finals = {
        minutes: shapes.shown_bars(bars, reference, fakes.START + timedelta(minutes=minutes))["is_final"].to_list()
        for minutes in (59, 61, 94, 95)
    }
    # A stream tick may come a minute late; a 5-minute price 30, and 5 of grace; 11 of 12 are not all.
    assert finals == {
        59: [False] * 3,
        61: [False, False, True],
        94: [False, False, True],
        95: [True, False, True],
    }


async def test_a_volume_far_beyond_the_usual_is_flagged(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    days = [(timedelta(days=-1), "1000", 100), (timedelta(0), "5000", 2)]
    reads.bar_rows = [
        _bar(fakes.GAS, interval="1d", start=fakes.START + at, volume=Decimal(volume), count=count)
        for at, volume, count in days
    ]
    reads.stored = [
        fakes.tick(fakes.GAS, fakes.START + timedelta(minutes=n), "3", volume=Decimal(volume))
        for n, volume in enumerate(("100", "101"))
    ]
    for query, spikes in ((SINCE, [False, True]), (f"{SINCE}&as_of=2026-07-20T00:00:00Z", [False, False])):
        rows = (await http.get(f"/v1/ticks?instrument={fakes.GAS}&{query}")).json()["data"]
        assert ["VOLUME_SPIKE" in row["flags"] for row in rows] == spikes
