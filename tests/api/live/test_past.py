"""Out of history: how things were, what became known then, and on into what is live, as one sequence."""

from datetime import timedelta
from typing import Any

import pytest

from api.live import steps
from api.live.replaying import Replaying
from api.live.tokens import Past
from service import clock
from tests.api.fakes import GAS, START, tick
from tests.api.live.past_fakes import BARS, EVERY_TICK, PRICES, TICKS, data, minute
from tests.api.live.streaming import World, bar, chained, prices_of

pytestmark = pytest.mark.usefixtures("history")


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
        for _ in range(3):
            await client.frame("update")
        assert clock.now() - began > timedelta(seconds=0.2), "the third minute comes 150 seconds after half a minute"
        await client.frame("caught_up")
        await client.say("subscribe", id=2, **PRICES, **{"from": minute(0.5)}, speed=1)
        await client.frame("snapshot")
        beat = await client.frame("heartbeat")
        assert [each["id"] for each in beat["subscriptions"]] == [1]
        assert beat["known_until"].startswith("2026-07-01T00:00:30")
    assert len(client.of("caught_up")) == 1


async def test_a_bar_that_was_reached_and_did_not_change_is_not_told(world: World) -> None:
    world.reads.bar_rows = [bar("1", 0, 1, updated_at=START - timedelta(hours=2))]
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS, **{"from": minute(-60)})
    assert [each["data"] for each in data(client)] == [[]]


async def test_it_does_not_join_a_log_that_is_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis was emptied after the log's end was read."""
    real, joinings = Replaying._registered, list[Any]()  # pyright: ignore[reportPrivateUsage]

    async def registered(self: Replaying) -> Any:
        found = await real(self)
        joinings.append(found)
        if len(joinings) > 1:
            return found
        counters = found.head.counters._replace(epoch="e" * 32)
        return found._replace(head=found.head._replace(counters=counters))

    monkeypatch.setattr(Replaying, "_registered", registered)
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **TICKS, **{"from": minute(1.5)})
        token = (await client.frame("heartbeat"))["subscriptions"][0]["resume"]
    assert len(joinings) == 2
    assert token[1:33] == world.state.live.hub.places.of["ticks"].epoch
    assert all("e" * 32 not in each["resume"] for each in data(client))
