"""Pages of bars without a hole: no row twice, none missing, in order, whatever the pages hold."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import polars as pl
import pytest

from api.ranges import fill
from api.ranges.fill import NONE, Fill, Sources
from api.reads import positions
from api.reads.ports import Page, Window
from api.shapes import BAR
from db.clickhouse.bounds import BarPosition
from db.entitlements import Limits
from pipeline import filled
from pipeline.filled import ORDER, Kind
from pipeline.schema import TICKS, conform
from service import clock
from tests.api import fakes
from tests.api.answers import data
from tests.api.test_as_of import bar
from tests.pipeline.test_filled import by_hand

START = datetime(2026, 10, 31, 7, tzinfo=UTC)  # midnight in California, the day before an hour comes twice
NOW = START + timedelta(days=2, minutes=7)
SPAN = timedelta(days=3)
Row = dict[str, Any]


def who(*names: str, product: str = "rt_5min", market: str = "caiso") -> pl.DataFrame:
    rows = [
        {"tenant": tenant, "instrument": name, "market": market, "product": product, "zone": "America/Los_Angeles"}
        for name in names for tenant in ("public", "t")
    ]  # fmt: skip
    return pl.DataFrame(rows)


class Store:
    """Some of the buckets have a bar; a page holds at most `most` of them and may say that it goes on."""

    def __init__(self, rows: Sequence[Row], ticks: Sequence[Row] = (), most: int = 10_000) -> None:
        self.rows = sorted(rows, key=_key)
        self.prices = ticks
        self.most = most

    async def bars(self, of: pl.DataFrame, window: Window) -> Page:
        after = positions.read_position(BarPosition, window.after)
        names = set(of.select("tenant", "instrument").rows())
        found = [
            row for row in self.rows
            if window.start <= row["start"] < window.end and (after is None or _key(row) > after)
            and (row["tenant"], row["instrument"]) in names
        ]  # fmt: skip
        few = min(window.limit, self.most)
        more = len(found) > few
        following = positions.plain(dict(zip(ORDER, _key(found[few - 1]), strict=True))) if more else None
        return Page(_bars(found[:few]), following)

    async def ticks(self, names: list[str], start: datetime, end: datetime) -> pl.DataFrame:
        rows = [row for row in self.prices if row["instrument"] in names and start <= row["start"] < end]
        schema = {**TICKS, "revision": pl.Int64()}
        return conform(pl.DataFrame(rows, schema={name: schema[name] for name in _TICK}), schema)


_TICK = ("tenant", "instrument", "ts", "start", "price", "hold_end", "flags", "source_rank", "event_id", "known_at",
         "revision")  # fmt: skip


def _key(row: Row) -> tuple[Any, ...]:
    return row["start"], row["instrument"], row["tenant"]


def _bars(rows: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(BAR)) if rows else NONE.rows


def bar_of(bucket: Row, interval: str) -> Row:
    whose = {name: bucket[name] for name in ("tenant", "instrument", "start", "end")}
    return bar(bucket["start"], bucket["start"]) | whose | {"interval": interval}


async def walked(wanted: Fill, store: Store, limit: int) -> list[Row]:
    """All rows, page after page."""
    found, after = list[Row](), None
    while True:
        page = await fill.page(wanted, Window(START, START + SPAN, after, limit), Sources(store.bars, store.ticks))
        assert page.rows.height <= limit
        found += page.rows.to_dicts()
        after = page.following
        if after is None:
            return found


@pytest.mark.parametrize("limit", [3, 50, 10_000])
@pytest.mark.parametrize("most", [2, 10_000])
@pytest.mark.parametrize(("interval", "block"), [("1h", None), ("1h", "2x16"), ("1d", None), ("1d", "peak")])
async def test_every_bucket_is_there_once(limit: int, most: int, interval: str, block: str | None) -> None:
    of = who("A", "B")
    buckets = filled.grid(of, interval, (START, START + SPAN), block, 100_000).to_dicts()
    chance = random.Random(7)
    some = [bar_of(bucket, interval) for bucket in buckets if chance.random() < 0.4]
    there = {_key(row) for row in some}
    wanted = [_key(row) for row in buckets if row["start"] < NOW or _key(row) in there]
    found = await walked(Fill("null", interval, block, NOW, of), Store(some, most=most), limit)
    assert [_key(row) for row in found] == wanted
    for row in found:
        real = _key(row) in there
        assert row["filled"] == ("none" if real else "null")
        assert (row["count"], row["open"]) == ((1, Decimal("20.5")) if real else (0, None))
        assert row["interval"] == interval
    assert any(row["start"] >= NOW for row in found) or block == "2x16"  # Monday is in no 2x16


@pytest.mark.parametrize(
    ("interval", "block"), [("1m", None), ("1h", None), ("1h", "2x16"), ("1d", None), ("1d", "peak")]
)
@pytest.mark.parametrize("minutes", [0, 7])
def test_buckets_are_counted_as_they_are_made(interval: str, block: str | None, minutes: int) -> None:
    window = Window(START + timedelta(minutes=minutes), START + SPAN, None, 10)
    soon = NOW + timedelta(minutes=30)  # within which prices of five minutes are known ahead
    parts = ((who("A", "B"), soon), (who("A", product="da_hourly"), window.end), (who("P", market="pjm"), NOW))
    kind: Kind = "hold" if interval == "1m" else "null"
    made = [
        filled.grid(of, interval, (window.start, ahead if kind == "hold" else NOW), block, 100_000).height
        for of, ahead in parts
    ]
    for (of, _), count in zip(parts[:2], made[:2], strict=True):
        assert fill.buckets(Fill(kind, interval, block, NOW, of), window) == count
    several = Fill(kind, interval, block, NOW, pl.concat([of for of, _ in parts[1:]]))
    assert fill.buckets(several, window) == sum(made[1:])


def runs(hold: timedelta, until: datetime) -> list[Row]:
    """Prices at odd seconds, of both instruments, that hold until the next one and at most for this time."""
    chance, found, at = random.Random(3), list[Row](), START - timedelta(minutes=9)
    while at < until:
        price = Decimal(chance.randrange(-90, 90))
        more = {"price": price, "hold_end": at + hold, "flags": 1, "revision": 0, "known_at": at}
        for name in ("A", "B"):
            who = {"tenant": "public", "instrument": name, "ts": at, "source_rank": 0, "event_id": ""}
            found.append(who | {"start": at} | more)
        at += timedelta(seconds=chance.randrange(100, 4000))
    return found


@pytest.mark.parametrize("limit", [7, 10_000])
async def test_what_holds_is_repeated_across_pages(limit: int) -> None:
    """Of SCED: five minutes without a run, and single minutes, which have no bars of their own."""
    of = who("A", "B", product="rt_sced", market="ercot").filter(tenant="public")
    for interval, minutes in (("5m", 5), ("1m", 1)):
        width, until = timedelta(minutes=minutes), START + timedelta(hours=3)
        ticks = runs(timedelta(minutes=30), until)
        buckets = filled.grid(of, interval, (START, until), None, 100_000).to_dicts()
        bars = [
            bar_of(each, interval) for each in buckets if minutes == 5 and any(_lies_in(row, each) for row in ticks)
        ]
        store = Store(bars, ticks)
        found = [
            row for row in await walked(Fill("hold", interval, None, until, of), store, limit) if row["start"] < until
        ]
        assert [_key(row) for row in found] == [_key(row) for row in buckets]
        for row in found:
            own = [each for each in ticks if each["instrument"] == row["instrument"]]
            *prices, _, covered, count, kind = by_hand(own, row["start"], row["start"] + width)
            assert (row["filled"], row["count"] > 0) == (kind, count != 0)
            if minutes == 1 or kind != "none":
                assert [row[name] for name in ("open", "high", "low", "close", "covered_seconds")] == [*prices, covered]
        assert {row["filled"] for row in found} == {"none", "hold", "null"}


def _lies_in(tick: Row, bucket: Row) -> bool:
    return tick["instrument"] == bucket["instrument"] and bucket["start"] <= tick["start"] < bucket["end"]


async def test_what_is_known_ahead_is_repeated_and_nothing_else_lies_ahead() -> None:
    of = who("A", product="da_hourly").filter(tenant="public")
    hours = [START + timedelta(hours=hour) for hour in range(48)]
    ticks = [
        {"tenant": "public", "instrument": "A", "ts": at, "source_rank": 0, "event_id": "", "start": at, "revision": 0,
         "price": Decimal(at.hour), "hold_end": at + timedelta(hours=1), "flags": 1, "known_at": START}
        for at in hours
    ]  # fmt: skip
    wanted = Fill("hold", "15m", None, START + timedelta(hours=30), of)
    found = await walked(wanted, Store([], ticks), 50)
    assert [row["start"] for row in found] == [START + n * timedelta(minutes=15) for n in range(4 * 48)]
    assert all(row["close"] == row["start"].hour for row in found)
    assert [row["count"] for row in found] == [1, 0, 0, 0] * 48


async def test_a_day_of_a_block_holds_no_price_of_other_hours() -> None:
    of, at = who("A").filter(tenant="public"), START + timedelta(hours=1)
    ticks = [
        {"tenant": "public", "instrument": "A", "ts": at, "source_rank": 0, "event_id": "", "start": at, "revision": 0,
         "price": Decimal(1), "hold_end": at + timedelta(minutes=5), "flags": 1, "known_at": START}
    ]  # fmt: skip
    for block, kinds in (("peak", {"null"}), (None, {"none", "null"})):
        found = await walked(Fill("hold", "1d", block, NOW, of), Store([], ticks), 10)
        assert {row["filled"] for row in found} == kinds


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: fakes.START + timedelta(hours=6))


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("known", ["", "&as_of=2026-07-01T06:00:00Z"])
async def test_rows_say_whether_they_were_filled(reads: fakes.FakeReads, http: httpx.AsyncClient, known: str) -> None:
    """Of a stream nothing holds; the hour that has begun is there, and not final."""
    reads.bar_rows = [bar(fakes.START + timedelta(hours=hour), fakes.START) for hour in (1, 3)]
    address = f"/v1/bars?instrument={fakes.GAS}&interval=1h&start=2026-07-01T00:00:00Z{known}"
    rows = data(await http.get(f"{address}&fill=hold"))
    assert [row["filled"] for row in rows] == ["null", "none", "null", "none", "null", "null"]
    assert [row["is_final"] for row in rows] == [True] * 5 + [False]
    empty = rows[0]
    assert (empty["open"], empty["twap"], empty["count"], empty["revision"], empty["flags"]) == (None, None, 0, 0, [])
    assert empty["updated_at"] is None
    assert data(await http.get(f"{address}&fill=null")) == rows
    assert [set(row) & {"filled"} for row in data(await http.get(address))] == [set(), set()]
    local = data(await http.get(f"{address}&fill=null&timezone=Asia/Tokyo"))
    assert local[0]["start_local"] == "2026-07-01T09:00:00+09:00"


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize(
    ("asked", "rows", "is_exact", "requests"),
    [
        ("interval=1h&fill=null&end=2026-07-01T05:00:00Z", 5, True, 2),
        ("interval=1h&fill=null", 8, False, 2),  # six of them have begun
        ("interval=1m&fill=hold&end=2026-07-01T05:00:00Z", 300, True, 75),
        ("interval=1d&fill=hold&limit=10000&start=2020-01-01T00:00:00Z", 2_374, False, 14),  # a page: 173 days
    ],
)
async def test_a_dry_run_tells_the_rows_that_come(
    reads: fakes.FakeReads, http: httpx.AsyncClient, asked: str, rows: int, requests: int, *, is_exact: bool
) -> None:
    ahead = [fakes.START + timedelta(hours=hour) for hour in (2, 8, 30)]
    reads.bar_rows = [bar(at, at) | {"interval": "1h", "instrument": fakes.NODE} for at in ahead]
    address = f"/v1/bars?instrument={fakes.NODE}&{asked}"
    address += "".join(f"&{each}" for each in ("start=2026-07-01T00:00:00Z", "limit=4") if each[:5] not in asked)
    told = (await http.get(f"{address}&dry_run=true")).json()
    assert (told["rows"], told["rows_exact"], told["requests"]) == (rows, is_exact, requests)
    if rows < 1000:
        assert len(await walk(http, address)) == rows


@pytest.mark.usefixtures("now")
async def test_a_long_answer_of_filled_rows_is_counted_before_it_is_sent(reads: fakes.FakeReads) -> None:
    key = reads.add_key("acme", limits=Limits(rows_per_day=1_000))
    address = f"/v1/bars?instrument={fakes.NODE}&interval=1m&fill=hold&start=2026-06-30T00:00:00Z&format=csv"
    async with fakes.client(reads, key) as client:
        told = [await client.get(f"{address}&end=2026-06-30T{hour}:00:00Z") for hour in ("05", "22")]
    assert [answer.status_code for answer in told] == [200, 429]
    assert len(told[0].text.splitlines()) == 1 + 5 * 60
    assert told[1].json()["type"].endswith("rows-exhausted")


async def walk(http: httpx.AsyncClient, address: str) -> list[Row]:
    """All rows of an answer, page after page."""
    found, following = list[Row](), ""
    while True:
        answer = (await http.get(f"{address}{following}")).json()
        found += answer["data"]
        if answer["next"] is None:
            return found
        following = f"&cursor={answer['next']}"


@pytest.mark.usefixtures("now")
async def test_bars_finer_than_the_products_repeat_its_price(reads: fakes.FakeReads, http: httpx.AsyncClient) -> None:
    reads.stored = [fakes.tick(fakes.NODE, fakes.START, "-31", hold_end=fakes.START + timedelta(minutes=5))]
    address = f"/v1/bars?instrument={fakes.NODE}&interval=1m&start=2026-07-01T00:00:00Z&end=2026-07-01T00:07:00Z"
    rows = data(await http.get(f"{address}&fill=hold"))
    assert [row["filled"] for row in rows] == ["none", *["hold"] * 4, "null", "null"]
    assert [row["count"] for row in rows] == [1, 0, 0, 0, 0, 0, 0]
    assert [row["covered_seconds"] for row in rows] == [60] * 5 + [None] * 2
    assert [row["is_final"] for row in rows] == [True] * 5 + [False] * 2
    for given in ("", "&fill=null"):
        refused = await http.get(address + given)
        assert refused.status_code == 422
        assert "ask for that, or fill=hold" in refused.json()["detail"]


@pytest.mark.parametrize("kind", ["forward", "", "0"])
async def test_a_filling_that_is_none_is_refused(http: httpx.AsyncClient, kind: str) -> None:
    assert (await http.get(f"/v1/bars?instrument={fakes.GAS}&interval=1h&fill={kind}")).status_code == 422


async def test_a_long_range_of_minutes_is_answered_page_by_page() -> None:
    """The grid of ten years is never made."""
    of, store = who("A"), Store([])
    wanted = Fill("null", "5m", None, NOW + timedelta(days=3650), of)
    long = Window(START, START + timedelta(days=3600), None, 100)
    page = await fill.page(wanted, long, Sources(store.bars, store.ticks))
    assert page.rows.height == 100
    assert page.following is not None


@pytest.mark.parametrize(
    ("interval", "kind", "most"),
    [("1d", "hold", 173), ("1h", "hold", 4166), ("1m", "hold", 10_000), ("1d", "null", 10_000)],
)
async def test_a_page_that_reads_prices_is_bounded(interval: str, kind: Kind, most: int) -> None:
    of, store = who("A"), Store([])
    wanted = Fill(kind, interval, None, NOW + timedelta(days=20_000), of)
    page = await fill.page(
        wanted, Window(START, NOW + timedelta(days=20_000), None, 10_000), Sources(store.bars, store.ticks)
    )
    assert page.rows.height == most
