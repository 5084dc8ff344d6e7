"""Spreads and basis: definitions, what a value is made of, and the difference of two instruments."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import httpx
import polars as pl
import pytest

from api.ranges import fill
from api.reads.ports import Names
from db.reference.snapshot import Snapshot
from pipeline.reference.tables import TABLES
from tests.api import fakes
from tests.api.answers import data
from tests.pipeline.spreads.making import Row, frame, leg, published, row
from tests.tables import empty_tables

START = fakes.START
DA, RT, NODE = "pjm.da_hourly.1", "pjm.rt_hourly.1", "pjm.da_hourly.2"
HOUR = timedelta(hours=1)


class Reads(fakes.FakeReads):
    """With definitions, and publications of legs."""

    def __init__(self) -> None:
        super().__init__()
        self.defined = [
            row("dart.west", leg(DA), leg(RT, "-1"), formula="day-ahead − real-time"),
            row("basis.east", leg(NODE), leg(DA, "-1")),
            row("dart.secret", leg(DA), leg(RT, "-1"), tenant="other"),
        ]
        self.stored = []
        self.published: list[Row] = []
        self.asked: list[tuple[list[str], datetime | None]] = []

    async def snapshot(self, *, fresh: bool = False) -> Snapshot:
        spreads = pl.DataFrame(self.defined, schema=TABLES["spreads"].schema)
        return cast("Snapshot", SimpleNamespace(tables={**empty_tables(), "spreads": spreads}))

    async def leg_publications(self, tenants: Names, legs: pl.DataFrame, known: datetime | None) -> pl.DataFrame:
        self.asked.append((list(tenants), known))
        wanted = set(legs["instrument"])
        rows = [each for each in self.published if each["instrument"] in wanted]
        return frame([each for each in rows if known is None or each["known_at"] <= known])


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
async def http(reads: Reads) -> AsyncIterator[httpx.AsyncClient]:
    async with fakes.client(reads, reads.add_key()) as client:
        yield client


def priced(reads: Reads, name: str, price: str, hours: int = 0, **more: Any) -> None:
    market, product, location = name.split(".")
    of = {"market": market, "product": product, "location": location}
    if name not in {each["instrument"] for each in reads.reference}:
        reads.reference.append(fakes.instrument(name) | of)
    at = START + hours * HOUR
    reads.stored.append(fakes.tick(name, at, price, end=at + HOUR, **of, **more))


async def test_definitions_are_those_of_the_caller_page_by_page(http: httpx.AsyncClient) -> None:
    first = (await http.get("/v1/spreads?limit=1")).json()
    assert [each["spread"] for each in first["data"]] == ["basis.east"]
    second = (await http.get("/v1/spreads", params={"limit": 1, "cursor": first["next"]})).json()
    assert second["next"] is None
    assert second["data"] == [
        {
            "spread": "dart.west", "instrument": "spread.dart.west", "kind": "dart", "interval": "1h",
            "unit": "USD/MWh", "zone": "America/New_York", "formula": "day-ahead − real-time",
            "legs": [
                {"instrument": name, "contract": None, "weight": weight, "factor": "1", "align": "interval",
                 "factor_unit": None, "block": None}
                for name, weight in ((DA, "1"), (RT, "-1"))
            ],
            "valid_from": None, "valid_to": None, "source": "test", "tenant": "public",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        ("kind=basis", ["basis.east"]),
        ("market=pjm", ["basis.east", "dart.west"]),
        ("market=miso", []),
        ("location=2", ["basis.east"]),
        ("q=REAL-TIME", ["dart.west"]),
    ],
)
async def test_definitions_are_found(http: httpx.AsyncClient, ask: str, found: list[str]) -> None:
    assert [each["spread"] for each in data(await http.get(f"/v1/spreads?{ask}"))] == found


async def explained(http: httpx.AsyncClient, **ask: str) -> dict[str, Any]:
    given = {"instrument": "spread.dart.west", "start": "2026-07-01T00:00:00Z"}
    answer = await http.get("/v1/spreads/explain", params=given | ask)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


async def test_a_value_is_explained_with_its_messages(http: httpx.AsyncClient, reads: Reads) -> None:
    reads.published = [published(DA, START, "66.677576"), published(RT, START, "172.600812", 1, row=9)]
    found = await explained(http)
    assert (found["written"], found["price"]) == ("66.677576 − 172.600812 = -105.923236", Decimal("-105.923236"))
    assert [(each["instrument"], each["offset"], each["row"]) for each in found["prices"]] == [(DA, 0, 1), (RT, 1, 9)]
    assert (found["missing"], found["flags"]) == ([], ["VALID", "PRICE_NEGATIVE"])
    assert reads.asked == [(["public"], None)]


async def test_what_lacks_is_said(http: httpx.AsyncClient, reads: Reads) -> None:
    reads.published = [published(DA, START, "5")]
    found = await explained(http)
    assert (found["price"], found["written"], found["flags"]) == (None, None, [])
    assert found["missing"] == [{"instrument": RT, "interval_start": "2026-07-01T00:00:00Z"}]


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        ("instrument=spread.dart.secret&start=2026-07-01T00:00:00Z", 404),
        ("instrument=spread.dart.west&start=2026-07-01T00:30:00Z", 422),
        ("instrument=spread.dart.west", 422),
        ("instrument=spread.dart.west&instrument=x&start=2026-07-01T00:00:00Z", 422),
    ],
)
async def test_what_cannot_be_explained(http: httpx.AsyncClient, ask: str, status: int) -> None:
    assert (await http.get(f"/v1/spreads/explain?{ask}")).status_code == status


BASIS = f"/v1/basis?instrument={NODE}&hub={DA}&start=2026-07-01T00:00:00Z"


async def test_a_basis_has_rows_where_both_have_a_price(http: httpx.AsyncClient, reads: Reads) -> None:
    parts: Row = {"energy": Decimal(40), "loss": Decimal("0.5")}
    priced(reads, NODE, "29.357335", congestion=Decimal("-11.142665"), **parts)
    priced(reads, NODE, "1", 1)
    priced(reads, DA, "66.677576", congestion=Decimal("26.177576"), **parts)
    (found,) = data(await http.get(BASIS))
    names = ("price", "energy", "congestion", "loss", "instrument_price", "hub_price")
    assert [found[name] for name in names] == [
        Decimal("-37.320241"), 0, Decimal("-37.320241"), 0, Decimal("29.357335"), Decimal("66.677576"),
    ]  # fmt: skip


async def test_a_basis_has_local_times_of_its_instrument(http: httpx.AsyncClient, reads: Reads) -> None:
    for name in (NODE, DA):
        priced(reads, name, "5")
    (plain,), (local,), (tokyo,) = [
        data(await http.get(BASIS + given)) for given in ("", "&timezone=market", "&timezone=Asia/Tokyo")
    ]
    assert (local.pop("interval_start_local"), local.pop("interval_end_local")) == (
        plain["interval_start"].replace("Z", "+00:00"), plain["interval_end"].replace("Z", "+00:00"),
    )  # fmt: skip
    assert local == plain
    assert tokyo["interval_start_local"].endswith("+09:00")


async def test_across_markets_only_the_price_is_a_difference(http: httpx.AsyncClient, reads: Reads) -> None:
    other = "miso.da_hourly.HUB"
    for name in (DA, other):
        priced(reads, name, "5", energy=Decimal(5), congestion=Decimal(0), loss=Decimal(0))
    (found,) = data(await http.get(f"/v1/basis?instrument={DA}&hub={other}&start=2026-07-01T00:00:00Z"))
    assert [found[name] for name in ("price", "energy", "congestion", "loss")] == [0, None, None, None]


async def test_a_basis_over_hours_that_the_instrument_lacks_has_all_its_rows(
    http: httpx.AsyncClient, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fill, "MOST_TICKS", 2)  # at once, of the hub
    for hour in (0, 8, 9):
        priced(reads, NODE, str(hour), hour)
    for hour in range(10):
        priced(reads, DA, "1", hour)
    assert [each["price"] for each in data(await http.get(BASIS))] == [-1, 7, 8]


async def test_a_basis_goes_on_page_by_page(http: httpx.AsyncClient, reads: Reads) -> None:
    for hour in range(5):
        priced(reads, NODE, str(hour), hour)
        priced(reads, DA, "1", hour)
    prices: list[object] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await http.get(f"{BASIS}&limit=2" + (f"&cursor={cursor}" if cursor else ""))
        prices += [each["price"] for each in data(answer)]
        cursor = answer.json()["next"]
    assert prices == [-1, 0, 1, 2, 3]


async def test_what_is_not_alike_is_refused(http: httpx.AsyncClient, reads: Reads) -> None:
    priced(reads, DA, "1")
    priced(reads, "ercot.rt_15min.X", "1")
    for hub, status in ((DA, 422), ("ercot.rt_15min.X", 422), ("pjm.da_hourly.9", 404)):
        assert (await http.get(f"/v1/basis?instrument={DA}&hub={hub}")).status_code == status
