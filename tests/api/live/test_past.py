"""Out of history: how things were, what became known then, and on into what is live, as one sequence."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from api.live import connection, replays, steps
from api.live.tokens import Past
from db.entitlements import Entitlements
from db.redis.live import Prices
from service import clock
from tests.api.fakes import GAS, NODE, START, tick
from tests.api.live.streaming import Client, Frame, World, bar, chained, content, prices_of
from tests.api.live.test_access import changed
from tests.polling import until_async

PRICES: dict[str, Any] = {"channel": "prices", "instruments": [GAS]}
TICKS: dict[str, Any] = {"channel": "ticks", "instruments": [GAS]}
BARS: dict[str, Any] = {"channel": "bars", "instruments": [GAS], "interval": "5m"}
EVERY_TICK = [Decimal(f"{100 + n}.5") for n in range(5)]  # one a minute is in the stores


def minute(number: float) -> str:
    return (START + timedelta(minutes=number)).isoformat()


@pytest.fixture(autouse=True)
def _step_by_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each instant is a step; what became known by the third minute is sure to have landed."""
    monkeypatch.setattr(steps, "A_STEP", 1)
    world.reads.landed = START + timedelta(minutes=3, seconds=30)
    world.reads.priced = {("public", GAS): content(dict(world.reads.stored[4]))}
    world.price("0", name=NODE)  # the log is somewhere


def data(client: Client) -> list[Frame]:
    return client.of("snapshot") + client.of("update")


async def test_prices_then_what_became_known_then_what_is_live(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **PRICES, **{"from": minute(1.5)}, speed=0)
        world.price("200", at=10)
        await client.frame("update")
    kinds = [each["type"] for each in client.seen if each["type"] != "heartbeat"]
    assert kinds == ["welcome", "subscribed", "snapshot", "update", "update", "update", "caught_up", "update"]
    assert prices_of(data(client)) == [*EVERY_TICK[1:], 200]
    assert [each["replayed"] for each in client.of("update")] == [True, True, True, False]
    assert [each["seq"] for each in data(client)] == [0, 0, 0, 1, 2], "the number of the log, where it joins"
    assert chained(client.seen)


async def test_what_did_not_change_is_not_told(world: World) -> None:
    """An older interval became known later: the newest price stays what it is."""
    world.reads.stored.insert(
        3, dict(tick(GAS, START - timedelta(minutes=9), "7", known_at=START + timedelta(minutes=2)))
    )
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **PRICES, **{"from": minute(1.5)})
    assert prices_of(data(client)) == EVERY_TICK[1:]


async def test_an_instrument_that_lost_its_price_says_so(world: World) -> None:
    world.reads.priced = {}
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **PRICES, **{"from": minute(2.5)})
    assert prices_of(data(client)) == [*EVERY_TICK[2:4], None]


@pytest.mark.parametrize("wanted", [TICKS, {"channel": "ticks", "filter": {"market": "henry_hub"}}])
async def test_ticks_come_once_wherever_they_are_told(world: World, wanted: dict[str, Any]) -> None:
    """The last one is in the stores, and is told once the present was read; so is one that came with history."""
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **wanted, **{"from": minute(0)})
        assert [each["data"] for each in client.of("snapshot")] == [[]]
        for number in (3, 4):
            world.ticks(number, f"{100 + number}.5")
        world.ticks(5, "300")
        await client.frame("update")
    assert prices_of(client.of("update")) == [*EVERY_TICK[1:], 300]
    assert chained(client.seen)


async def test_ticks_that_land_late_are_looked_for_where_it_joins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    became_known, late = world.reads.became_known, dict(tick(GAS, START, "9", known_at=START + timedelta(minutes=2.75)))

    async def lands_meanwhile(*asked: Any) -> Any:
        found = await became_known(*asked)
        if late not in world.reads.stored and asked[1].after >= START + timedelta(minutes=3):
            world.reads.stored.append(late)
        return found

    monkeypatch.setattr(world.reads, "became_known", lands_meanwhile)
    monkeypatch.setattr(steps, "A_PAGE", 1)
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **TICKS, **{"from": minute(0.5)})
    assert prices_of(data(client)) == [*EVERY_TICK[1:4], 9, EVERY_TICK[4]]


async def test_bars_as_each_was_known_and_nothing_of_what_is_shown_already(world: World) -> None:
    world.reads.bar_rows = [
        bar(str(n), 0, n + 1, revision=n, updated_at=START + timedelta(minutes=n)) for n in range(5)
    ]
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS, **{"from": minute(1.5)})
        world.bar("4", ver=5)  # is shown already
        world.bar("9", ver=6)
        await client.frame("update")
    assert [row["close"] for each in data(client) for row in each["data"]] == [1, 2, 3, 4, 9]
    assert chained(client.seen)


async def test_a_token_from_inside_goes_on_there(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **PRICES, **{"from": minute(0.5)}, speed=0)
    tokens = [each["resume"] for each in data(client)]
    for count, token in enumerate(tokens[:-1], 1):
        async with world.client(world.key()) as again:
            await again.subscribed(id=1, **PRICES, resume=token)
        assert again.of("snapshot") == []
        assert prices_of(again.of("update")) == EVERY_TICK[count:]
        assert again.of("update")[0]["prev_seq"] == 0
    async with world.client(world.key()) as again:
        await again.subscribed(id=1, **PRICES, resume=tokens[-1])
    assert data(again) == [], "it was live"


async def test_a_step_of_several_frames_resumes_where_the_one_before_did(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.frames.FRAME_BYTES", 1)
    monkeypatch.setattr(steps, "A_STEP", 3)
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **TICKS, **{"from": minute(0.5)})
    found = [Past.read(each["resume"]) for each in client.of("update")]
    assert [each and each.at for each in found] == [
        START + timedelta(minutes=0.5), START + timedelta(minutes=0.5), START + timedelta(minutes=3), None,
    ]  # fmt: skip
    assert prices_of(client.of("update")) == EVERY_TICK[1:]


async def test_at_a_pace_it_comes_bit_by_bit_and_is_no_place_of_the_log(world: World) -> None:
    """A minute in a second: what is not due yet is not told, and heartbeats say how far it is."""
    async with world.client(world.key()) as client:
        await client.say("subscribe", id=1, **PRICES, **{"from": minute(0.5)}, speed=600)
        began = clock.now()
        await client.frame("caught_up")
        assert clock.now() - began > timedelta(seconds=0.25)
        await client.say("subscribe", id=2, **PRICES, **{"from": minute(0.5)}, speed=1)
        await client.frame("snapshot")
        beat = await client.frame("heartbeat")
        assert [each["id"] for each in beat["subscriptions"]] == [1]
        assert beat["known_until"].startswith("2026-07-01T00:00:30")
    assert len(client.of("caught_up")) == 1


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
        assert (await client.frame("snapshot"))["data"] == []
    assert client.of("caught_up") == []


async def test_frames_wait_for_room(world: World) -> None:
    """As many are asked for room as are sent."""
    sent, asked = list[str](), list[int]()

    class Way:
        ready = True

        def write(self, frame: Any) -> None:
            sent.append(frame.type)

        async def room(self) -> None:
            asked.append(len(sent))

        def send_away(self, code: int, reason: str) -> None: ...

    from api.live.asked import Subscribe

    mine = world.state.live.open(Way())
    mine.principal = await world.state.live.keys.admitted(world.key().removeprefix("gt_live_").split("_")[0])
    await mine.subscribe(Subscribe(id=1, channel="prices", instruments=[GAS], from_=START + timedelta(minutes=1.5)))
    await until_async(lambda: "caught_up" in sent)
    assert asked == [at for at, kind in enumerate(sent) if kind in {"snapshot", "update"}]
    world.state.live.close(mine)
