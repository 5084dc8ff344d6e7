"""The routes of curves: which there are, snapshots now and then, and the working behind one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from db.reference.snapshot import Snapshot, Versions
from tests.api import fakes
from tests.pipeline.curves.making import CURVE, HOLIDAY, MONDAY, generic, strip
from tests.pipeline.curves.tables import tables
from tests.tables import empty_tables

TUESDAY = MONDAY + timedelta(days=1)
HUB = "caiso.da_hourly.TH_NP15_GEN-APND"
BASE = f"/v1/curves/{CURVE.curve}"


class Reads(fakes.FakeReads):
    """Two sessions of a curve of contracts, the first of them corrected, and a day of hours with a negative one."""

    def __init__(self) -> None:
        super().__init__()
        self.published = [
            *strip(MONDAY, "3.1", "2.9"),
            *strip(MONDAY, "3.1", "2.8", offset=60),
            *strip(TUESDAY, "3", "2.7", offset=30),
            generic("NG=F", MONDAY, "9"),
        ]
        self.reference.append(fakes.instrument(HUB, zone="America/Los_Angeles"))
        night = datetime(2026, 3, 8, 8, tzinfo=UTC)  # a clock change in California
        hours = [night + timedelta(hours=step) for step in range(23)]
        self.stored += [fakes.tick(HUB, hour, "-1.5" if hour == night else "2", known_at=night) for hour in hours]

    async def snapshot(self, *, fresh: bool = False) -> Snapshot:
        return Snapshot(Versions(1, 1), {**empty_tables(), **tables()})


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
async def http(reads: Reads) -> AsyncIterator[httpx.AsyncClient]:
    async with fakes.client(reads, reads.add_key()) as client:
        yield client


async def read(http: httpx.AsyncClient, address: str) -> Any:
    answer = await http.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_list_holds_the_curves_of_contracts_and_of_a_product_its_instruments(http: httpx.AsyncClient) -> None:
    [row] = (await read(http, "/v1/curves?market=henry_hub&q=HENRY"))["data"]
    assert (row["curve"], row["kind"], row["unit"], row["session_end"]) == (
        CURVE.curve,
        "futures",
        "USD/MMBtu",
        "17:00",
    )
    [row] = (await read(http, "/v1/curves?market=caiso&product=da_hourly"))["data"]
    assert (row["curve"], row["kind"], row["granularity"]) == (HUB, "day_ahead", "hour")
    assert (await http.get("/v1/curves?product=da_hourly")).status_code == 422
    assert (await read(http, BASE))["max_age"] == CURVE.max_age
    assert (await read(http, f"/v1/curves/{HUB}"))["kind"] == "day_ahead"


async def test_the_latest_snapshot_has_all_its_fields(http: httpx.AsyncClient) -> None:
    found = await read(http, f"{BASE}/snapshots/latest")
    assert found | {"points": found["points"][:1]} == {
        "curve": CURVE.curve, "tenant": "public", "session": "2026-03-03", "at": "2026-03-03T22:00:00Z",
        "known_at": "2026-04-01T00:30:00Z", "version": 0, "partial": False, "unit": "USD/MMBtu", "rejected": [],
        "complete": None,
        "points": [{
            "start": "2026-04-01T05:00:00Z", "end": "2026-05-01T05:00:00Z", "product": "month", "price": 3,
            "kind": "settle", "flags": [], "age": 0, "inputs": ["NGJ26"],
        }],
    }  # fmt: skip


async def test_an_earlier_snapshot_is_asked_for_by_instant(http: httpx.AsyncClient) -> None:
    found = await read(http, f"{BASE}/snapshots/latest?at=2026-03-03T21:59:59Z")
    assert (found["session"], found["version"], found["points"][1]["price"]) == ("2026-03-02", 1, 2.8)
    [refused] = found["rejected"]
    assert (refused["inputs"], refused["reason"]) == (["NG=F"], "names no contract of the curve")
    assert (await http.get(f"{BASE}/snapshots/latest?at=2026-03-01T00:00:00Z")).status_code == 404


async def test_a_correction_leaves_what_was_known_before(http: httpx.AsyncClient) -> None:
    found = await read(http, f"{BASE}/snapshots/latest?as_of=2026-04-01T00:10:00Z")
    assert (found["session"], found["version"], found["points"][1]["price"]) == ("2026-03-02", 0, 2.9)
    assert found["complete"] is True
    assert (await http.get(f"{BASE}/snapshots/latest?as_of=2026-03-31T00:00:00Z")).status_code == 404


async def test_sessions_come_in_pages_and_in_versions(http: httpx.AsyncClient) -> None:
    span = "start=2026-03-01&end=2026-04-01"
    first = await read(http, f"{BASE}/snapshots?{span}&limit=1")
    second = await read(http, f"{BASE}/snapshots?{span}&limit=1&cursor={first['next']}")
    assert [row["session"] for page in (first, second) for row in page["data"]] == ["2026-03-02", "2026-03-03"]
    assert second["next"] is None
    every = (await read(http, f"{BASE}/snapshots?{span}&versions=true"))["data"]
    told = [(row["session"], row["version"], row["points"][1]["price"]) for row in every]
    assert told == [("2026-03-02", 0, 2.9), ("2026-03-02", 1, 2.8), ("2026-03-03", 0, 2.7)]
    known = await read(http, f"{BASE}/snapshots?{span}&as_of=2026-04-01T00:40:00Z")
    assert [(row["session"], row["version"]) for row in known["data"]] == [("2026-03-02", 0), ("2026-03-03", 0)]
    assert known["complete"] is True
    assert (await read(http, f"{BASE}/snapshots?start={HOLIDAY}&end=2026-03-05"))["data"] == []


async def test_what_made_a_snapshot_is_explained(http: httpx.AsyncClient) -> None:
    found = await read(http, f"{BASE}/explain?session=2026-03-02")
    told = [(row["contract"], row["instrument"], row["offset"], row["kind"]) for row in found["inputs"]]
    assert told == [("NGJ26", "henry_hub.futures.NG01", 0, "settle"), ("NGK26", "henry_hub.futures.NG02", 60, "settle")]
    assert found["snapshot"]["version"] == 1
    assert (await http.get(f"{BASE}/explain?session={HOLIDAY}")).status_code == 404


async def test_a_day_ahead_curve_is_the_hours_of_a_local_day(http: httpx.AsyncClient) -> None:
    found = await read(http, f"/v1/curves/{HUB}/snapshots/latest")
    assert (found["session"], len(found["points"]), found["partial"]) == ("2026-03-08", 23, False)
    assert found["points"][0] | {"end": None} == {
        "start": "2026-03-08T08:00:00Z", "end": None, "product": "hour", "price": -1.5, "kind": "settle",
        "flags": ["NEGATIVE"], "age": 0, "inputs": [HUB],
    }  # fmt: skip
    [mean] = (await read(http, f"/v1/curves/{HUB}/snapshots/latest?granularity=day&price_type=decimal"))["points"]
    assert mean["price"] == "1.847826086957", "(22 × 2 - 1.5) ÷ 23"
    assert (mean["product"], mean["kind"]) == ("day", "averaged")
    assert len((await read(http, f"/v1/curves/{HUB}/explain?session=2026-03-08"))["inputs"]) == 23


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/v1/curves/nothing/snapshots/latest", 404),
        (f"/v1/curves/{fakes.NODE}/snapshots/latest", 404),
        (f"{BASE}/snapshots/latest?block=peak", 422),
        (f"{BASE}/snapshots/latest?granularity=week", 422),
        (f"{BASE}/snapshots?start=2026-04-01&end=2026-03-01", 422),
        (f"{BASE}/snapshots?limit=101", 422),
        (f"/v1/curves/{HUB}/snapshots/latest?granularity=month", 422),
        (f"/v1/curves/{HUB}/snapshots/latest?block=nights", 422),
        (f"/v1/curves/{HUB}/snapshots?versions=true", 422),
    ],
)
async def test_what_cannot_be_answered_is_refused(http: httpx.AsyncClient, address: str, status: int) -> None:
    assert (await http.get(address)).status_code == status


async def test_only_prices_of_the_own_tenants_are_read(reads: Reads) -> None:
    reads.published = [row | {"tenant": "other"} for row in reads.published]
    async with fakes.client(reads, reads.add_key()) as client:
        assert (await client.get(f"{BASE}/snapshots/latest")).status_code == 404
    async with fakes.client(reads, reads.add_key("other")) as client:
        assert (await client.get(f"{BASE}/snapshots/latest")).json()["tenant"] == "other"


async def test_coarser_points_are_means_of_whole_periods(reads: Reads) -> None:
    reads.published = strip(MONDAY, "3", "4", "6", "1")
    async with fakes.client(reads, reads.add_key()) as client:
        [point] = (await client.get(f"{BASE}/snapshots/latest?granularity=quarter")).json()["points"]
    assert point["start"] == "2026-04-01T05:00:00Z"
    assert (point["price"], point["inputs"]) == (4.333333333333, ["NGJ26", "NGK26", "NGM26"])
