"""Who is told history, and what becomes of it where a store is away."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from api.live import connection, replays
from api.live.tokens import Past
from db.entitlements import Entitlements
from db.redis.live import Prices
from service import clock
from tests.api.fakes import START
from tests.api.live.past_fakes import EVERY_TICK, PRICES, data, minute
from tests.api.live.streaming import Client, World, chained, prices_of
from tests.api.live.test_access import changed
from tests.polling import until_async

pytestmark = pytest.mark.usefixtures("history")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"from": "2999-01-01T00:00:00Z"}, "bad-from"),
        ({"from": minute(0), "resume": "x"}, "bad-message"),
        ({"speed": 5}, "bad-message"),
        ({"from": "2026-07-01T00:00:00"}, "bad-message"),
        ({"from": minute(0), "speed": 86_401}, "bad-message"),
        ({"from": minute(0), "speed": -1}, "bad-message"),
        ({"from": minute(0), "channel": "curves"}, "no-history"),
        ({"from": minute(0), "channel": "demo"}, "no-history"),
        ({"resume": "b@1782864000000000.0.000000.0"}, "bad-resume"),
        ({"resume": "p@1782864000000000.99999.000000.0"}, "bad-resume"),
        ({"resume": f"p@{clock.to_us(datetime.fromisoformat('2200-01-01T00:00:00Z'))}.0.000000.0"}, "bad-from"),
    ],
)
async def test_what_cannot_be_told_is_refused(world: World, asked: dict[str, Any], code: str) -> None:
    async with world.client(world.key()) as client:
        await client.say("subscribe", **{"id": 1, **PRICES, **asked})
        assert (await client.frame("error", "subscribed"))["code"] == code
        await client.subscribed(id=1, **PRICES)


async def test_not_before_the_history_that_may_be_seen(world: World) -> None:
    """What is told ends where it does today, by the times of prices, too."""
    depth = clock.now() - START - timedelta(days=1)
    midnight = (clock.now() - depth).replace(hour=0, minute=0, second=0, microsecond=0)
    key = world.key("acme", entitled=Entitlements(history=depth))
    async with world.client(key) as client:
        await client.say("subscribe", id=1, **PRICES, **{"from": minute(0)})
        assert (await client.frame("error", "subscribed"))["code"] == "history-limit"
        await client.say("subscribe", id=1, **PRICES, resume=Past("prices", START, 0).text())
        assert (await client.frame("error", "subscribed"))["code"] == "history-limit"
        world.reads.landed = clock.now()
        await client.subscribed(id=1, **PRICES, **{"from": midnight.isoformat()})
    assert prices_of(data(client)) == []


async def until_told(client: Client, number: int) -> None:
    while (await client.frame("snapshot"))["id"] != number:
        pass


async def test_few_are_told_history_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slowly: dict[str, Any] = {**PRICES, "from": minute(0.5), "speed": 0.001}
    async with world.client(world.key()) as client, world.client(world.key()) as other:
        for number in range(1, connection.REPLAYS + 1):
            await client.say("subscribe", id=number, **slowly)
        await until_told(client, connection.REPLAYS)
        await client.say("subscribe", id=9, **slowly)
        assert (await client.frame("error"))["code"] == "too-many-replays"
        monkeypatch.setattr(replays.Replays, "most", connection.REPLAYS + 1)
        await other.say("subscribe", id=1, **slowly)
        await until_told(other, 1)
        await other.say("subscribe", id=2, **slowly)
        assert (await other.frame("error"))["code"] == "too-many-replays"
        await client.say("unsubscribe", id=1)
        await client.subscribed(id=9, **PRICES, **{"from": minute(0.5)})
        await client.subscribed(id=10, **PRICES, **{"from": minute(0.5)})
    await until_async(lambda: world.state.metrics.value("stream_replays") == 0, what="all have ended")


async def test_a_lost_log_loses_nothing_of_history(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is emptied while the present is read: it is read again, and what was told is not told twice."""
    hub, prices, times = world.state.live.hub, world.reads.log_prices, list[int]()

    async def emptied(*asked: Any) -> Prices | None:
        times.append(hub.life)
        found = await prices(*asked)
        if len(times) == 1:
            world.reads.log.empty()
            await until_async(lambda: hub.life > times[0])
        return found

    monkeypatch.setattr(world.reads, "log_prices", emptied)
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **PRICES, **{"from": minute(2.5)})
        world.price("200", at=10)
        await client.frame("update")
    assert times[1] > times[0]
    assert client.of("gap") == []
    assert prices_of(data(client)) == [*EVERY_TICK[2:], 200]
    assert chained(client.seen)


async def test_a_store_that_is_away_is_waited_for(world: World) -> None:
    world.reads.gone = {"clickhouse": "it is"}
    async with world.client(world.key()) as client:
        await client.say("subscribe", id=1, **PRICES, **{"from": minute(2.5)})
        await client.frame("heartbeat")
        world.reads.gone = {}
        await client.frame("caught_up")
    assert prices_of(data(client)) == EVERY_TICK[2:]


async def test_what_cannot_be_read_at_all_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any) -> None:
        raise ValueError("no")

    monkeypatch.setattr(world.reads, "became_known", fails)
    async with world.client(world.key()) as client:
        await client.say("subscribe", id=1, **PRICES, **{"from": minute(2.5)})
        assert (await client.frame("error"))["code"] == "replay-failed"
        await client.subscribed(id=1, **PRICES)


async def test_where_not_all_has_landed_what_lands_later_comes(world: World) -> None:
    world.reads.landed = START
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **PRICES, **{"from": minute(2.5)})
        world.price("200", at=10)
        await client.frame("update")
    assert prices_of(data(client)) == [EVERY_TICK[2], EVERY_TICK[4], 200]


async def test_who_may_see_less_is_told_less_from_there_on(world: World) -> None:
    key = world.key("acme")
    slowly: dict[str, Any] = {
        "channel": "prices",
        "filter": {"market": "henry_hub"},
        "from": minute(1.5),
        "speed": 0.001,
    }
    async with world.client(key) as client:
        await client.say("subscribe", id=1, **slowly)
        await client.frame("snapshot")
        changed(world, key, entitled=Entitlements(markets=frozenset({"caiso"})))
        anew = await client.frame("snapshot")
        assert anew["data"] == []
        assert Past.read(anew["resume"]) is not None, "in history, still"
    assert client.of("caught_up") == []
