"""The stream as a client sees it: a snapshot, then every change, each frame naming the one before."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.api import fakes
from tests.api.fakes import GAS, NODE, SECRET_NODE, START
from tests.api.live.streaming import World, bar, chained, prices_of

OTHERS = ["caiso.rt_5min.NOBODY", SECRET_NODE]


async def test_prices_begin_with_how_things_are_and_go_on_with_what_changes(world: World) -> None:
    world.price("1.5")
    world.price("-31.123456789", name=NODE)
    await world.heard()
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="prices", instruments=[GAS])
        world.price("7", name=NODE)
        for number in range(3):
            world.price(f"{number}.25", at=number)
        while len(client.of("update")) < 3:
            await client.frame("update")
    [snapshot] = client.of("snapshot")
    assert prices_of([snapshot]) == [Decimal("1.5")]
    assert (snapshot["seq"], snapshot["prev_seq"], snapshot["part"], snapshot["parts"]) == (2, None, 1, 1)
    updates = client.of("update")
    assert prices_of(updates) == [Decimal("0.25"), Decimal("1.25"), Decimal("2.25")]
    assert [(each["seq"], each["prev_seq"]) for each in updates] == [(4, 2), (5, 4), (6, 5)]
    assert {each["replayed"] for each in updates} == {False}
    assert [frame["type"] for frame in client.seen if frame["type"] != "heartbeat"][:4] == [
        "welcome", "subscribed", "snapshot", "caught_up",
    ]  # fmt: skip


async def test_a_price_tells_until_when_it_is_live(world: World) -> None:
    world.price("5", name=NODE)
    await world.heard()
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="prices", instruments=[NODE])
    [row] = client.of("snapshot")[0]["data"]
    assert (row["mode"], row["cadence_seconds"], row["unit"]) == ("newest", 300, "USD/MWh")
    assert row["interval_start"] < row["live_until"] < row["late_until"]


async def test_an_instrument_that_has_no_price_any_more_says_so(world: World) -> None:
    world.price("5")
    await world.heard()
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="prices", instruments=[GAS])
        world.price(None)
        [row] = (await client.frame("update"))["data"]
    assert (row["instrument"], row["price"], row["interval_start"], row["tenant"]) == (GAS, None, None, "public")
    assert row.keys() == client.of("snapshot")[0]["data"][0].keys(), "of one shape"


async def test_what_is_not_there_or_not_ones_own_is_an_error_and_the_rest_is_sent(world: World) -> None:
    world.price("5")
    await world.heard()
    async with world.client(world.key()) as client:
        await client.subscribed(id=4, channel="prices", instruments=[GAS, *OTHERS])
        [answer] = client.of("subscribed")
        assert [(each["instrument"], each["code"]) for each in answer["errors"]] == [
            (name, "unknown-instrument") for name in sorted(OTHERS)
        ]
        assert answer["subscriptions"][0]["instruments"] == [GAS]
        await client.say("subscribe", id=5, channel="prices", instruments=[SECRET_NODE])
        again = await client.frame("subscribed")
        assert [each["id"] for each in again["subscriptions"]] == [4], "nothing of it can be had"
        world.price("6")
        assert (await client.frame("update"))["id"] == 4, "the connection lives on"


async def test_a_filter_takes_all_of_a_market_and_who_comes_later(world: World) -> None:
    world.price("5", name=NODE)
    await world.heard()
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="prices", filter={"market": "caiso"})
        world.price("6")
        world.reads.reference.append(fakes.instrument("caiso.rt_5min.NEW"))
        world.price("7", name="caiso.rt_5min.NEW")
        update = await client.frame("update")
    assert [row["instrument"] for row in update["data"]] == ["caiso.rt_5min.NEW"]
    assert [row["instrument"] for row in client.of("snapshot")[0]["data"]] == [NODE]


@pytest.mark.parametrize("channel", ["ticks", "prices", "bars"])
async def test_what_was_registered_a_moment_ago_is_told(world: World, channel: str) -> None:
    """The reference that is held is a second old, and knows a public instrument of the same name alone."""
    world.reads.reference_held = list(world.reads.reference)
    async with world.client(world.key("acme")) as client:
        await client.subscribed(id=1, channel=channel, filter={"market": "caiso"})
        world.reads.reference = [*world.reads.reference, fakes.instrument(NODE, tenant="acme")]
        if channel == "ticks":
            world.ticks(1, "5", name=NODE, tenant="acme")
        elif channel == "prices":
            world.price("5", name=NODE, tenant="acme")
        else:
            world.bar("5", instrument=NODE, tenant="acme")
        [row] = (await client.frame("update"))["data"]
    assert (row["tenant"], row["instrument"]) == ("acme", NODE)


async def test_bars_come_again_as_they_are_corrected(world: World) -> None:
    world.reads.shown_bars = world.reads.shown_bars.vstack(world.bars(bar("3", 0, 7)))
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="bars", instruments=[GAS], interval="5m")
        world.bar("4", ver=8, revision=1, updated_at=START + timedelta(hours=1))
        world.bar("5", at=5, ver=2)
        updates = [await client.frame("update"), await client.frame("update")]
    [shown] = client.of("snapshot")[0]["data"]
    assert (shown["close"], shown["revision"], shown["interval"]) == (3, 0, "5m")
    corrected, next_one = (each["data"][0] for each in updates)
    assert (corrected["start"], corrected["close"], corrected["revision"]) == (shown["start"], 4, 1)
    assert (next_one["start"], next_one["close"]) == ("2026-07-01T00:05:00Z", 5)
    assert chained(client.seen)


async def test_a_bar_that_the_snapshot_was_ahead_of_is_not_sent_again(world: World) -> None:
    """The snapshot is read after the number that it stands under: it may show what comes after that number."""
    world.reads.shown_bars = world.reads.shown_bars.vstack(world.bars(bar("9", 0, 5)))
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="bars", instruments=[GAS], interval="5m")
        for ver in (4, 5, 6):
            world.bar(str(ver), ver=ver)
        update = await client.frame("update")
    assert [row["close"] for row in update["data"]] == [6]
    assert (update["seq"], update["prev_seq"]) == (3, 0)


async def test_of_bars_without_an_interval_all_come(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="bars", instruments=[GAS])
        await client.subscribed(id=2, channel="bars", instruments=[GAS], interval="1h")
        world.bar("1")
        world.bar("2", interval="1h", end=START + timedelta(hours=1))
        frames = [await client.frame("update") for _ in range(3)]
    assert sorted((each["id"], each["data"][0]["interval"]) for each in frames) == [(1, "1h"), (1, "5m"), (2, "1h")]


async def test_a_bar_that_lost_its_last_price_has_none(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="bars", instruments=[GAS], interval="5m")
        world.bar("0", count=0)
        [row] = (await client.frame("update"))["data"]
    assert (row["count"], row["open"], row["high"], row["low"], row["close"]) == (0, None, None, None, None)


async def test_bars_are_final_as_of_what_has_landed(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="bars", instruments=[NODE], interval="5m")
        while not client.of("heartbeat") or client.of("heartbeat")[-1]["known_until"] is None:
            await client.frame("heartbeat")
        world.bar("1", instrument=NODE)
        world.bar("2", instrument=NODE, at=60 * 24 * 60, ver=2)
        frames = [await client.frame("update") for _ in range(2)]
    assert [each["data"][0]["is_final"] for each in frames] == [True, False]


async def test_ticks_come_by_their_offsets_and_of_those_that_are_wanted(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="ticks", instruments=[GAS])
        world.ticks(0, "1", "2", "3")
        world.ticks(3, "4", name=NODE)
        world.ticks(4, "5")
        frames = [await client.frame("update") for _ in range(2)]
    assert [row["price"] for row in frames[0]["data"]] == [1, 2, 3]
    assert [row["price"] for row in frames[1]["data"]] == [5]
    assert [(each["seq"], each["prev_seq"]) for each in frames] == [(1, 0), (3, 1)]
    assert client.of("snapshot")[0]["data"] == []


async def test_tenants_see_their_own_and_the_public_ones(world: World) -> None:
    world.price("1")
    world.price("2", name=SECRET_NODE, tenant="other")
    await world.heard()
    async with world.client(world.key("other")) as client, world.client(world.key("acme")) as stranger:
        await client.subscribed(id=1, channel="prices", instruments=[GAS, SECRET_NODE])
        await stranger.subscribed(id=1, channel="prices", filter={"market": "caiso"})
        world.price("3", name=SECRET_NODE, tenant="other")
        world.price("4", name=NODE)
        assert prices_of([await client.frame("update")]) == [3]
        assert prices_of([await stranger.frame("update")]) == [4]
    assert sorted(row["tenant"] for row in client.of("snapshot")[0]["data"]) == ["other", "public"]


async def test_after_unsubscribing_nothing_comes_and_the_number_is_free(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="prices", instruments=[GAS])
        await client.say("unsubscribe", id=1)
        assert (await client.frame("subscribed"))["subscriptions"] == []
        world.price("1")
        await world.heard()
        await client.subscribed(id=1, channel="prices", instruments=[GAS])
    assert client.of("update") == []


@pytest.mark.parametrize("count", [3000])
async def test_a_large_change_comes_in_several_frames_of_one_number(world: World, count: int) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="ticks", instruments=[GAS])
        world.ticks(0, *(str(number) for number in range(count)))
        world.ticks(count, "7")
        while sum(len(each["data"]) for each in client.of("update")) <= count:
            await client.frame("update")
    updates = client.of("update")
    assert prices_of(updates) == [*range(count), 7]
    assert [each["seq"] for each in updates] == [*[0] * (len(updates) - 2), 1, 2]
    assert len(updates) > 3
    assert chained(client.seen)
