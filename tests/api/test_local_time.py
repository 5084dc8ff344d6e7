"""Local times beside those in UTC: of every market, over clock changes, and only where they are asked for."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import polars as pl
import pytest

from api.problems import Problem
from api.query import BarsQuery
from api.ranges import days, local_time
from api.ranges.local_time import TICK_INSTANTS, with_local
from api.reads.ports import Window
from api.shapes import BAR
from pipeline import products, zone_days
from service import clock
from tests.api import fakes
from tests.api.answers import data
from tests.api.test_as_of import bar

AUTUMN, SPRING = datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 3, 8, 4, tzinfo=UTC)
MARKETS = {"ercot": "rt_15min", "caiso": "rt_15min", "miso": "rt_5min", "pjm": "rt_5min", "nyiso": "rt_5min"}


def named(market: str) -> str:
    return f"{market}.{MARKETS[market]}.HUB"


def row_of(market: str, **more: object) -> dict[str, object]:
    return fakes.instrument(named(market)) | {"market": market, "product": MARKETS[market], "zone": None} | more


@pytest.fixture
def markets(reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch) -> fakes.FakeReads:
    """A price every half hour of the days of both clock changes, in every market."""
    monkeypatch.setattr(clock, "now", lambda: AUTUMN + timedelta(days=30))
    half = timedelta(minutes=30)
    reads.reference = [row_of(market) for market in MARKETS]
    reads.stored = [
        fakes.tick(named(market), first + number * half, "1", market=market, product=MARKETS[market])
        for market in MARKETS for first in (SPRING, AUTUMN) for number in range(40)
    ]  # fmt: skip
    return reads


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("market", MARKETS)
async def test_every_hour_of_a_clock_change_is_told_apart(
    markets: fakes.FakeReads, http: httpx.AsyncClient, market: str
) -> None:
    zone = ZoneInfo(products.market(market).zone)
    answer = await http.get(f"/v1/ticks?instrument={named(market)}&start=2026-03-01T00:00:00Z&timezone=market")
    rows = data(answer)
    assert len(rows) == 80
    assert len({row["interval_start_local"] for row in rows}) == 80
    for row in rows:
        for name in ("interval_start", "interval_end"):
            assert row[f"{name}_local"] == utc(row[name]).astimezone(zone).isoformat()
    assert list(rows[0])[5:9] == ["interval_start", "interval_end", "interval_start_local", "interval_end_local"]


async def test_the_repeated_hour_by_its_offset(markets: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    """ERCOT's comes twice, MISO's market time knows no summer."""
    address = "/v1/ticks?start=2026-11-01T06:00:00Z&end=2026-11-01T08:00:00Z&timezone=market"
    answer = await http.get(f"{address}&instrument={named('ercot')}")
    assert [row["interval_start_local"] for row in data(answer)] == [
        "2026-11-01T01:00:00-05:00", "2026-11-01T01:30:00-05:00",
        "2026-11-01T01:00:00-06:00", "2026-11-01T01:30:00-06:00",
    ]  # fmt: skip
    assert data(await http.get(f"{address}&instrument={named('miso')}"))[0]["interval_start_local"] == (
        "2026-11-01T01:00:00-05:00"
    )


async def test_markets_side_by_side_have_their_own_time(markets: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    names = "&".join(f"instrument={named(market)}" for market in MARKETS)
    rows = data(await http.get(f"/v1/ticks?{names}&start=2026-11-01T06:00:00Z&timezone=market&limit=5000"))
    for row in rows:
        zone = ZoneInfo(products.market(row["market"]).zone)
        assert row["interval_start_local"] == utc(row["interval_start"]).astimezone(zone).isoformat()
    assert {row["market"] for row in rows} == set(MARKETS)


async def test_an_instrument_has_its_own_zone_before_its_markets(
    markets: fakes.FakeReads, http: httpx.AsyncClient
) -> None:
    markets.reference = [row_of("pjm", zone="Asia/Tokyo")]
    rows = data(
        await http.get(f"/v1/ticks?instrument={named('pjm')}&start=2026-11-01T04:00:00Z&timezone=market&limit=1")
    )
    assert rows[0]["interval_start_local"] == "2026-11-01T13:00:00+09:00"


@pytest.mark.parametrize("known", ["", "&as_of=2026-11-30T00:00:00Z"])
async def test_latest_prices_and_bars(markets: fakes.FakeReads, http: httpx.AsyncClient, known: str) -> None:
    one = named("caiso")
    [row] = data(await http.get(f"/v1/prices/latest?instrument={one}&timezone=Europe/Berlin{known}"))
    assert row["interval_end_local"] == utc(row["interval_end"]).astimezone(ZoneInfo("Europe/Berlin")).isoformat()
    assert row["status"] == "stale"
    markets.bar_rows = [bar(AUTUMN, AUTUMN) | {"instrument": one}]
    [row] = data(
        await http.get(f"/v1/bars?instrument={one}&interval=1h&start=2026-11-01T00:00:00Z&timezone=UTC{known}")
    )
    assert (row["start_local"], row["end_local"]) == ("2026-11-01T04:00:00+00:00", "2026-11-01T05:00:00+00:00")


async def test_what_is_remembered_of_latest_prices_has_no_local_times(caller: httpx.AsyncClient) -> None:
    address = f"/v1/prices/latest?instrument={fakes.GAS}"
    [plain] = data(await caller.get(address))
    [local] = data(await caller.get(f"{address}&timezone=Asia/Kolkata"))
    assert local.pop("interval_start_local").endswith("+05:30")
    assert local.pop("interval_end_local").endswith("+05:30")
    assert {**local, "age_seconds": 0} == {**plain, "age_seconds": 0}
    assert "interval_start_local" not in data(await caller.get(address))[0]


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("America/Chigaco", "America/Chicago"), ("chicago", "America/Chicago"), ("europe/berlin", "Europe/Berlin"),
        ("CST", "CST6CDT"), ("New_York", "America/New_York"), ("", "IANA"), ("../etc/passwd", "IANA"),
        ("localtime", "IANA"), ("%00", "IANA"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("route", ["ticks?", "bars?interval=1h&", "prices/latest?"])
async def test_an_unknown_zone_is_refused_with_near_ones(
    http: httpx.AsyncClient, route: str, given: str, near: str
) -> None:
    answer = await http.get(f"/v1/{route}instrument={fakes.GAS}&timezone={given}")
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["parameter"] == "timezone"
    assert near in error["detail"]


def test_no_rows_have_the_columns_too() -> None:
    rows = pl.DataFrame(
        schema={"tenant": pl.String, "instrument": pl.String, **dict.fromkeys(TICK_INSTANTS, BAR["start"])}
    )
    reference = pl.DataFrame([row_of("pjm")])
    assert with_local(rows, reference, "market", TICK_INSTANTS).columns[-2:] == [
        "interval_start_local",
        "interval_end_local",
    ]
    assert with_local(rows, reference, None, TICK_INSTANTS) is rows


def test_decimals_of_a_second_and_an_absent_end() -> None:
    at = datetime(2026, 11, 1, 7, 0, 14, 250_000, tzinfo=UTC)
    none = pl.Series([None], dtype=BAR["end"])
    who = {"tenant": "public", "instrument": named("ercot")}
    rows = pl.DataFrame([who | {"interval_start": at}]).with_columns(interval_end=none)
    shown = with_local(rows, pl.DataFrame([row_of("ercot")]), "market", TICK_INSTANTS)
    assert shown.row(0)[-2:] == ("2026-11-01T01:00:14.25-06:00", None)


@pytest.mark.parametrize(
    ("timezone", "block", "wanted"),
    [(None, None, None), ("market", None, None), ("UTC", None, "UTC"), ("UTC", "peak", "UTC"),
     ("market", "peak", "America/Los_Angeles"), (None, "peak", None)],
)  # fmt: skip
def test_whose_days_are_asked_for(timezone: str | None, block: str | None, wanted: str | None) -> None:
    reference = pl.DataFrame([row_of("caiso")])
    meant = days.with_days(reference, query("1d", timezone), block, window())
    assert (meant["days"][0] if "days" in meant.columns else None) == wanted
    assert days.with_days(reference, query("1h", timezone), block, window()) is reference


@pytest.mark.parametrize(
    ("market", "product", "timezone", "block", "words"),
    [
        ("pjm", "da_hourly", "Asia/Kolkata", None, "cut the hours of"),
        ("pjm", "rt_5min", "Asia/Kolkata", "peak", "cut the hours that a block is made of"),
        ("pjm", "rt_5min", "Antarctica/Troll", None, "more than 25 hours"),
    ],
)
def test_days_that_cannot_be_exact(market: str, product: str, timezone: str, block: str | None, words: str) -> None:
    reference = pl.DataFrame([fakes.instrument("X", market=market, product=product)])
    with pytest.raises(Problem, match=words):
        days.with_days(reference, query("1d", timezone), block, window())


def test_days_of_finer_products_are_made_of_quarters() -> None:
    reference = pl.DataFrame([fakes.instrument("X", market="pjm", product="rt_5min")])
    assert days.with_days(reference, query("1d", "Asia/Kolkata"), None, window())["days"].to_list() == ["Asia/Kolkata"]


def query(interval: str, timezone: str | None) -> BarsQuery:
    return BarsQuery.model_validate({"instrument": ["X"], "interval": interval, "timezone": timezone})


def window() -> Window:
    return Window(SPRING, AUTUMN, None, 10)


@pytest.mark.parametrize("zone", ["America/Chicago", "America/Havana", "Africa/Cairo", "Asia/Kathmandu", "Asia/Gaza"])
def test_days_follow_on_one_another(zone: str) -> None:
    """Every hour of three years lies in the day that Python's zone says."""
    start, end = datetime(2023, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    runs = zone_days.runs(zone, start, end)
    for number in range(24 * 365 * 3):
        at = int(start.timestamp()) + number * 3600 + 1800
        since, width = max((since, width) for since, width in zip(*runs, strict=True) if since <= at)
        opens = datetime.fromtimestamp(since + (at - since) // width * width, UTC)
        day = datetime.fromtimestamp(at, ZoneInfo(zone)).date()
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        assert opens == midnight, (day, width)


def test_market_is_no_zone_of_its_own() -> None:
    assert local_time.zone_name("market") == "market"
