"""What was known at an instant, from the API as it runs on the real stores."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from db.postgres.engine import make_engine
from db.postgres.landed import reaches
from db.redis import idle
from db.redis.client import connect as connect_redis
from gridtick.client import Client, InvalidRequest
from local.stack import Stack
from service import clock
from service.settings import Settings
from tests.api import running_api
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import document, frame, generic

pytestmark = pytest.mark.stack
MIDNIGHT = datetime(2026, 7, 1, 7, tzinfo=UTC)  # in California
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Running:
    """An API process and a tenant with a stream's ticks and a day of an exchange's prices, some of them corrected."""

    url: str
    key: str
    stream: str
    node: str


@pytest.fixture(scope="module")
def running(stack: Stack, settings: Settings) -> Iterator[Running]:
    tenant, mark = f"t-{uuid4().hex[:10]}", uuid4().hex[:6]
    stream, node = f"GAS_{mark}", f"caiso.da_hourly.N_{mark}"
    running_api.stored(settings, frame([*_ticks(tenant, stream), *_day(tenant, node)]))
    named = ((stream, "henry_hub", "tick"), (node, "caiso", "da_hourly"))
    key = asyncio.run(running_api.access(settings, tenant, *named))
    with running_api.serving(stack) as url:
        yield Running(url, key, stream, node)


def _ticks(tenant: str, name: str) -> list[Row]:
    """A price a minute for 10 minutes; the second one is corrected an hour later to 9, and back after two hours."""
    shape = {"instrument": name, "market": "henry_hub"}
    at = [MIDNIGHT + n * timedelta(minutes=1) for n in range(10)]
    first = [generic(tenant, at[n], str(n), event_id=str(n), offset=n, **shape) for n in range(10)]
    return [
        *first,
        first[1] | {"price": Decimal(9), "offset": 20, "known_at": MIDNIGHT + HOUR},
        first[1] | {"offset": 21, "known_at": MIDNIGHT + 2 * HOUR},
    ]


def _day(tenant: str, name: str) -> list[Row]:
    """24 hours that are known the day before; of the first ten another price at noon, the hour before its interval."""
    shape = {"instrument": name, "product": "da_hourly", "location": name.split(".")[2]}
    known = MIDNIGHT - 12 * HOUR
    first = [
        document(tenant, MIDNIGHT + n * HOUR, str(n), minutes=60, known_at=known, offset=50, **shape | {"row": n + 1})
        for n in range(24)
    ]
    later = {"known_at": MIDNIGHT + 12 * HOUR, "offset": 51}
    return [*first, *(row | {"price": Decimal(100)} | later for row in first[:10])]


def test_ticks_then_and_now(running: Running) -> None:
    with Client(running.url, running.key) as client:
        second = {
            hours: list(client.ticks(running.stream, start=MIDNIGHT, as_of=MIDNIGHT + hours * HOUR))[1]
            for hours in (0.5, 1, 2)
        }
        now = list(client.ticks(running.stream, start=MIDNIGHT))[1]
        four = list(client.ticks(running.stream, start=MIDNIGHT, as_of=MIDNIGHT + timedelta(minutes=3)))
    shown = [(row["price"], row["revision"], row["known_at"]) for row in second.values()]
    assert shown == [
        (1, 0, "2026-07-01T07:01:00Z"), (9, 1, "2026-07-01T08:00:00Z"), (1, 2, "2026-07-01T09:00:00Z"),
    ]  # fmt: skip
    assert now == second[2]
    assert [row["price"] for row in four] == [0, 1, 2, 3]


@pytest.mark.parametrize("page", [2, 1000])
def test_revisions_page_by_page(running: Running, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr("gridtick.client.http.PAGE", page)
    with Client(running.url, running.key) as client:
        every = list(client.ticks(running.stream, start=MIDNIGHT, revisions=True))
        then = list(client.ticks(running.stream, start=MIDNIGHT, revisions=True, as_of=MIDNIGHT + HOUR))
    assert [(row["price"], row["revision"]) for row in every[:5]] == [(0, 0), (1, 0), (9, 1), (1, 2), (2, 0)]
    assert [(row["price"], row["revision"]) for row in then[:4]] == [(0, 0), (1, 0), (9, 1), (2, 0)]
    assert (len(every), len(then)) == (12, 11)


def test_bars_of_now_are_those_of_the_present(running: Running) -> None:
    """Computed from what was known until now, they are what the passes have stored."""
    now = clock.now()
    with Client(running.url, running.key) as client:
        for name, intervals in ((running.stream, ("1m", "5m", "15m")), (running.node, ("1h", "1d"))):
            for interval in intervals:
                low, high = MIDNIGHT - 24 * HOUR, MIDNIGHT + 48 * HOUR
                stored = list(client.bars(name, interval=interval, start=low, end=high))
                computed = list(client.bars(name, interval=interval, start=low, end=high, as_of=now))
                assert stored, interval
                assert computed == stored


@pytest.mark.parametrize("page", [3, 1000])
def test_bars_then(running: Running, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr("gridtick.client.http.PAGE", page)
    with Client(running.url, running.key) as client:
        days = {
            hours: list(client.bars(running.node, interval="1d", start=MIDNIGHT, as_of=MIDNIGHT + hours * HOUR))
            for hours in (-13, -12, 12)
        }
        minutes = list(client.bars(running.stream, interval="1m", start=MIDNIGHT, as_of=MIDNIGHT + HOUR))
    assert days[-13] == []
    (before,), (after,) = days[-12], days[12]
    assert (before["open"], before["high"], before["count"], before["revision"]) == (0, 23, 24, 0)
    assert (before["is_final"], before["updated_at"]) == (False, "2026-06-30T19:00:00Z")
    assert (after["open"], after["high"], after["revision"]) == (100, 100, 10)
    assert before["twap"] == Decimal("11.5")
    assert [bar["close"] for bar in minutes] == [0, 9, *range(2, 10)]
    assert minutes[1]["revision"] == 1


def test_latest_then(running: Running) -> None:
    instant = MIDNIGHT + timedelta(minutes=4, seconds=30)
    with Client(running.url, running.key) as client:
        (tick,) = client.latest(running.stream, as_of=instant)
        (hour,) = client.latest(running.node, as_of=instant)
        (newest,) = client.latest(running.node, as_of=instant, mode="newest")
        (begun,) = client.latest(running.stream, as_of=instant, mode="in_force")
        assert list(client.latest(running.node, as_of=MIDNIGHT - 13 * HOUR)) == []
    assert (tick["price"], tick["age_seconds"], tick["status"], tick["mode"]) == (4, 30, "live", "newest")
    assert (hour["price"], hour["mode"], newest["price"], begun["price"]) == (0, "in_force", 23, 4)


def test_an_instant_beyond_what_has_landed_is_provisional(running: Running, settings: Settings) -> None:
    redis = connect_redis(settings.redis.url.get_secret_value())
    with Client(running.url, running.key) as client:
        idle.note(redis, settings.kafka.raw_topic, "an id", [0], {0: clock.to_us(MIDNIGHT + HOUR)})
        asyncio.run(_all_idle(settings, clock.to_us(MIDNIGHT + HOUR)))
        for before, complete in ((timedelta(microseconds=1), True), (timedelta(0), False)):
            at = MIDNIGHT + HOUR - before
            ticks, bars = client.ticks(running.stream, as_of=at), client.bars(running.node, interval="1h", as_of=at)
            latest = client.latest(running.stream, as_of=at)
            for rows in (ticks, bars, latest):
                assert list(rows)
                assert rows.complete is complete
        redis.delete(idle.KEY)
        with pytest.raises(InvalidRequest, match="future"):
            list(client.ticks(running.stream, as_of=clock.now() + HOUR))
    redis.close()


async def _all_idle(settings: Settings, at_us: int) -> None:
    """As if the bridge had said so of every partition that other tests have left in the ledger."""
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    redis = connect_redis(settings.redis.url.get_secret_value())
    for place in await reaches(engine, {}):
        idle.note(redis, place.topic, place.topic_id, [place.partition], {place.partition: at_us})
    redis.close()
    await engine.dispose()


@pytest.mark.parametrize("page", [3])
def test_peak_hours_now_and_then(running: Running, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """The hours 6 to 21 of a Wednesday in California, priced 6 to 21 until ten of the day are corrected."""
    monkeypatch.setattr("gridtick.client.http.PAGE", page)
    now = clock.now()
    with Client(running.url, running.key) as client:
        for interval, count in (("1h", 16), ("1d", 1)):
            stored = list(client.bars(running.node, interval=interval, start=MIDNIGHT, block="peak"))
            known = list(client.bars(running.node, interval=interval, start=MIDNIGHT, block="peak", as_of=now))
            assert stored == known
            assert len(stored) == count
        at = MIDNIGHT - HOUR
        (day,) = client.bars(running.node, interval="1d", start=MIDNIGHT, block="peak", as_of=at)
        (rest,) = client.bars(running.node, interval="1d", start=MIDNIGHT, block="offpeak", as_of=at)
    shown = [day[name] for name in ("open", "high", "low", "close", "twap", "count", "covered_seconds")]
    assert shown == [6, 21, 6, 21, Decimal("13.5"), 16, 57_600]
    assert (rest["count"], rest["twap"]) == (8, Decimal("7.5"))
