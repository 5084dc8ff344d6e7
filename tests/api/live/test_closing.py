"""Intervals that are complete are told once each, with the bars that lack prices."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.live.closing import Closed, Series, between, last_closed
from api.problems import Problem
from pipeline import products
from service import clock
from tests.api.fakes import GAS, NODE
from tests.api.live.streaming import World
from tests.polling import until_async

FIVE = Series("caiso", "rt_5min", "5m")
DAYS = Series("caiso", "rt_5min", "1d")


def at(day: int, hour: int, minute: int = 0, month: int = 7) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_an_interval_closes_once_its_prices_may_come_no_more() -> None:
    settle = last_settle()
    assert last_closed(FIVE, at(1, 12, 5) + settle) == at(1, 12, 5)
    assert last_closed(FIVE, at(1, 12, 5) + settle - timedelta(microseconds=1)) == at(1, 12)


def last_settle() -> timedelta:

    product = products.product("caiso", "rt_5min")
    return product.lateness + product.grace


@pytest.mark.parametrize(
    ("day", "month", "hours"), [(1, 7, 24), (8, 3, 23), (1, 11, 25)], ids=["an ordinary day", "spring", "autumn"]
)
def test_days_are_those_of_the_market(day: int, month: int, hours: int) -> None:
    began = datetime(2026, month, day, 7 if month == 7 or (month, day) == (11, 1) else 8, tzinfo=UTC)
    [closed] = between(DAYS, began, began + timedelta(hours=hours))
    assert closed == Closed(began, began + timedelta(hours=hours))
    assert last_closed(DAYS, closed.end + last_settle()) == closed.end


def test_all_that_closed_are_told_in_order() -> None:
    assert [*between(FIVE, at(1, 12), at(1, 12, 15))] == [
        Closed(at(1, 12, 5 * number), at(1, 12, 5 * number + 5)) for number in range(3)
    ]
    assert [*between(FIVE, at(1, 12), at(1, 12))] == []


async def test_what_closes_while_a_store_is_away_is_told_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.reads.past = world.reads.landed = at(1, 12, month=9) + last_settle()
    known, place, real = clock.to_us(world.reads.past), world.state.live.hub.places.of["bars"], world.reads.unfinished
    failed = list[int]()

    async def away_at_the_second(*asked: Any) -> Any:
        failed.append(1)
        if len(failed) == 2:
            raise Problem(503, "store-away", "ClickHouse is away.")
        return await real(*asked)

    await until_async(lambda: place.known_us == known)
    async with world.client(world.key()) as client:
        await client.subscribed(id=3, channel="bars", instruments=[NODE], interval="5m")
        for _ in range(2):
            await client.frame("heartbeat")
        monkeypatch.setattr(world.reads, "unfinished", away_at_the_second)
        world.reads.past = world.reads.landed = at(1, 12, 15, month=9) + last_settle()
        closed = [await client.frame("interval_closed") for _ in range(3)]
    assert [each["start"][11:16] for each in closed] == ["12:00", "12:05", "12:10"]


async def test_subscribers_to_bars_are_told_and_nobody_else(world: World) -> None:
    world.reads.lacking = [NODE, "another"]
    world.reads.past = world.reads.landed = at(1, 12, month=9) + last_settle()
    known, place = clock.to_us(world.reads.past), world.state.live.hub.places.of["bars"]
    await until_async(lambda: place.known_us == known)  # else what closed before would be news
    async with world.client(world.key()) as client, world.client(world.key()) as other:
        await client.subscribed(id=3, channel="bars", instruments=[NODE], interval="5m")
        await other.subscribed(id=1, channel="bars", instruments=[GAS], interval="1h")
        await other.subscribed(id=2, channel="prices", instruments=[NODE])
        while (await client.frame("heartbeat"))["known_until"] is None:
            pass
        await client.frame("heartbeat")
        await client.frame("heartbeat")
        assert client.of("interval_closed") == [], "what closed before is no news"
        world.reads.past = world.reads.landed = at(1, 12, 10, month=9) + last_settle()
        closed: list[Any] = [await client.frame("interval_closed") for _ in range(2)]
        await client.frame("heartbeat")
        await client.frame("heartbeat")
    assert [(each["id"], each["market"], each["product"], each["interval"]) for each in closed] == [
        (3, "caiso", "rt_5min", "5m")
    ] * 2
    assert [(each["start"], each["end"]) for each in closed] == [
        (f"2026-09-01T12:{5 * n:02}:00.000000Z", f"2026-09-01T12:{5 * n + 5:02}:00.000000Z") for n in range(2)
    ]
    assert [(each["open"], each["open_count"]) for each in closed] == [([NODE], 1)] * 2
    assert (len(client.of("interval_closed")), other.of("interval_closed")) == (2, [])
    assert clock.now() > at(1, 12)
