"""Going on after an interruption: everything that was missed, marked, or a gap that says where to read it."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.live.selection import Selection
from api.live.starting import Starting
from api.live.tokens import Token
from db.redis.landed import Change
from db.redis.live import Look
from db.visible import Visible
from tests.api.fakes import GAS, NODE
from tests.api.live.streaming import Client, World, bar, chained, prices_of

BARS: dict[str, Any] = {"channel": "bars", "instruments": [GAS], "interval": "5m"}


async def closes(client: Client, count: int) -> list[Decimal | None]:
    while sum(len(each["data"]) for each in client.of("update")) < count:
        await client.frame("update", "gap", "error")
    return [row["close"] for each in client.of("update") for row in each["data"]]


async def token_after(world: World, *values: str) -> str:
    """A client that has seen these bars, and is cut off."""
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS)
        for ver, value in enumerate(values, 1):
            world.bar(value, at=5 * ver, ver=ver)
        await closes(client, len(values))
        return client.of("update")[-1]["resume"]


async def test_what_was_missed_comes_first_and_is_marked(world: World) -> None:
    token = await token_after(world, "1", "2")
    for ver in range(3, 10):
        world.bar(str(ver), at=5 * ver, ver=ver)
        world.price("1", name=NODE)
        world.bar("0", instrument=NODE)
    await world.heard()
    async with world.client(world.key()) as client:
        await client.subscribed(id=2, **BARS, resume=token)
        world.bar("10", at=50, ver=10)
        assert await closes(client, 8) == [3, 4, 5, 6, 7, 8, 9, 10]
    updates = client.of("update")
    assert [each["replayed"] for each in updates] == [True] * 7 + [False]
    assert updates[0]["prev_seq"] == 2, "the sequence goes on where it was"
    assert chained(client.seen)
    kinds = [frame["type"] for frame in client.seen if frame["type"] != "heartbeat"]
    assert kinds == ["welcome", "subscribed", *["update"] * 7, "caught_up", "update"]


async def test_a_token_of_a_heartbeat_goes_on_in_the_same_sequence(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS)
        world.bar("1")
        await closes(client, 1)
        for _ in range(5):
            world.bar("0", instrument=NODE)
        await world.heard()
        beat = await client.frame("heartbeat")
        while beat["channels"]["bars"] < 6:
            beat = await client.frame("heartbeat")
    [pulse] = beat["subscriptions"]
    assert pulse["seq"] == 1
    assert pulse["resume"] != client.of("update")[-1]["resume"]
    world.reads.log.trim(5)  # what lies before is not needed any more
    world.bar("2", at=5, ver=2)
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS, resume=pulse["resume"])
        assert await closes(client, 1) == [2]
    assert client.of("update")[0]["prev_seq"] == 1
    assert client.of("gap") == []


async def test_beyond_the_window_a_gap_says_so_and_it_begins_anew(world: World) -> None:
    token = await token_after(world, "1", "2")
    for ver in (3, 4):
        world.bar(str(ver), at=5 * ver, ver=ver)
    await world.heard()
    world.reads.log.trim(3)
    world.reads.shown_bars = world.reads.shown_bars.vstack(world.bars(bar("4", 20, 4)))
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS, resume=token)
        world.bar("5", at=25, ver=5)
        assert await closes(client, 1) == [5]
    [gap] = client.of("gap")
    assert (gap["reason"], gap["from_seq"], gap["to_seq"]) == ("window", 2, 4)
    [address] = gap["fill"]
    assert urlsplit(address).path == "/v1/changes"
    assert parse_qs(urlsplit(address).query) == {
        "channel": ["bars"], "interval": ["5m"], "instrument": [GAS], "since": [gap["since"]],
    }  # fmt: skip
    [snapshot] = client.of("snapshot")
    assert (snapshot["seq"], [row["close"] for row in snapshot["data"]]) == (4, [4])
    assert client.of("update")[0]["prev_seq"] == 4


async def test_where_some_was_sent_before_the_log_was_cut_the_gap_begins_after_it(world: World) -> None:
    """The log is trimmed while it is read: what is left does not follow what was sent."""
    token = await token_after(world, "1")
    for ver in range(2, 9):
        world.bar(str(ver), at=5 * ver, ver=ver)
    await world.heard()
    real, turns = world.reads.log_since, list[str]()

    async def cut(kind: Any, after: str, until: str) -> Any:
        turns.append(after)
        if len(turns) == 2:
            world.reads.log.trim(6)
        return await real(kind, after, until)

    world.reads.log_since = cut  # type: ignore[method-assign]
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS, resume=token)
    assert [row["close"] for each in client.of("update") for row in each["data"]] == [2, 3, 4]
    [gap] = client.of("gap")
    assert (gap["reason"], gap["from_seq"], gap["to_seq"]) == ("window", 4, 8)
    assert chained(client.seen)


async def test_what_cannot_be_begun_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = await token_after(world, "1", "2")

    async def fails(*_: object) -> None:
        raise ValueError("no")

    async with world.client(world.key()) as client:
        with monkeypatch.context() as patch:
            patch.setattr(Starting, "begin", fails)
            await client.say("subscribe", id=1, **BARS, resume=token)
            assert (await client.frame("error"))["code"] == "not-begun"
        await client.subscribed(id=1, **BARS)


@pytest.mark.parametrize("told", [0, 3])
async def test_where_the_log_was_lost_a_gap_says_so_to_all_and_they_begin_anew(world: World, told: int) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS)
        await client.subscribed(id=2, channel="prices", instruments=[GAS])
        world.bar("1")
        await closes(client, 1)
        world.reads.log.empty()
        for number in range(told):
            world.bar("7", at=5, ver=2 + number)
        gaps = [await client.frame("gap"), await client.frame("gap")]
        for _ in range(2):
            await client.frame("caught_up")
        world.bar("8", at=10, ver=9)
        update = await client.frame("update")
    assert [(each["reason"], each["to_seq"]) for each in gaps] == [("lost", None)] * 2
    assert (update["data"][0]["close"], update["seq"]) == (8, told + 1), "numbers begin anew"
    assert len({frame["resume"][1:33] for frame in client.of("snapshot")}) == 2, "of another epoch"
    prices = [each["fill"] for each in gaps if each["channel"] == "prices"]
    assert prices == [[f"/v1/prices/latest?instrument={GAS}"]]


async def test_a_token_of_a_log_that_was_lost_is_a_gap(world: World) -> None:
    token = await token_after(world, "1")
    world.reads.log.empty()
    world.bar("2", ver=2)
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS, resume=token)
        world.bar("3", at=5, ver=3)
        while 3 not in await closes(client, 1):
            await client.frame("update")
    assert [each["reason"] for each in client.of("gap")] == ["lost"]


async def test_while_the_log_cannot_be_read_the_heartbeat_says_so_and_nothing_is_lost(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, **BARS)
        world.reads.log.away = True
        while (await client.frame("heartbeat"))["state"] != "waiting":
            pass
        world.bar("1")
        world.reads.log.away = False
        assert await closes(client, 1) == [1]
        while (await client.frame("heartbeat"))["state"] != "live":
            pass
    assert client.of("gap") == []


async def test_prices_wait_until_they_are_whole(world: World) -> None:
    world.reads.priced = None
    async with world.client(world.key()) as client:
        await client.say("subscribe", id=1, channel="prices", instruments=[GAS])
        await client.frame("heartbeat")
        await client.frame("heartbeat")
        assert client.of("snapshot") == []
        world.price("3")
        await client.frame("caught_up")
    assert prices_of(client.of("snapshot")) == [3]


async def test_a_cut_inside_a_large_change_goes_on_inside_it(world: World) -> None:
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="ticks", instruments=[GAS])
        world.ticks(0, *(str(number) for number in range(3000)))
        first = await client.frame("update")
    assert 0 < len(first["data"]) < 3000
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="ticks", instruments=[GAS], resume=first["resume"])
    again = client.of("update")
    assert prices_of([first, *again]) == [*range(3000)]
    assert again[-1]["seq"] == 1
    async with world.client(world.key()) as other:
        await other.subscribed(id=1, channel="ticks", filter={"market": "henry_hub"}, resume=first["resume"])
        whole = other.of("update")
    assert prices_of(whole) == [*range(3000)], "of another selection nothing of it was sent"
    async with world.client(world.key()) as other:
        await other.subscribed(id=1, channel="ticks", filter={"market": "henry_hub"}, resume=whole[0]["resume"])
    assert prices_of([whole[0], *other.of("update")]) == [*range(3000)], "and its tokens count what was"


async def test_a_cut_inside_a_change_that_another_process_has_read_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This one waits until it has read it, too: live it would come whole."""
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="ticks", instruments=[GAS])
        world.ticks(0, *(str(number) for number in range(3000)))
        first = await client.frame("update")
    sent, read = len(first["data"]), Token.read(first["resume"])
    assert read is not None
    inside = replace(read, seq=1, head=1, position=world.reads.log.head.position).text()
    goes_on, held, real = asyncio.Event(), asyncio.Event(), world.reads.log_look

    async def lagging(after: str, wait_s: float) -> Look:
        held.set()
        await goes_on.wait()
        return await real(after, wait_s)

    monkeypatch.setattr(world.reads, "log_look", lagging)
    await held.wait()
    world.ticks(3000, *(str(number) for number in range(3000, 6000)))
    async with world.client(world.key()) as client:
        await client.say("subscribe", id=1, channel="ticks", instruments=[GAS], resume=inside)
        await client.frame("subscribed")
        await client.frame("heartbeat")
        goes_on.set()
        await client.frame("caught_up")
    updates = client.of("update")
    assert prices_of(updates) == [*range(3000 + sent, 6000)]
    assert (updates[0]["prev_seq"], updates[-1]["seq"]) == (1, 2)


async def test_rows_of_a_change_that_never_comes_are_not_waited_for(world: World) -> None:
    """Who makes up a token gets what there is."""
    selection = Selection("ticks", Visible(("public",)), frozenset([GAS]))
    async with world.client(world.key()) as client:
        world.ticks(0, "1")
        await world.heard()
        log = world.reads.log
        token = Token("ticks", log.epoch, 1, 1, log.head.position, 0, rows=2, mark=selection.mark)
        await client.subscribed(id=1, channel="ticks", instruments=[GAS], resume=token.text())
        world.ticks(1, "2", "3", "4")
        await client.frame("update")
    assert prices_of(client.of("update")) == [2, 3, 4]


@pytest.mark.parametrize("token", ["x", "", "p" + "0" * 32 + ".1.1.1-1.0", "b" + "0" * 32 + ".1.1.1-1"])
async def test_what_is_no_token_of_the_channel_is_refused(world: World, token: str) -> None:
    async with world.client(world.key()) as client:
        await client.say("subscribe", id=1, **BARS, resume=token)
        error = await client.frame("error")
    assert (error["id"], error["code"], error["fatal"]) == (1, "bad-resume", False)


@pytest.mark.parametrize("text", ["9.9.9-9", "1.1.5-0", "1.0.0-0", "0.1.1-0"])
async def test_a_token_that_is_made_up_ends_in_a_gap_or_in_what_may_be_seen(world: World, text: str) -> None:
    world.bar("1")
    world.reads.log.tell("bar", "other", [Change(GAS, "5m", 1, 0)])
    await world.heard()
    epoch = world.reads.log.epoch
    async with world.client(world.key()) as client:
        await client.say("subscribe", id=1, **BARS, resume=f"b{epoch}.{text}.0")
        await client.frame("heartbeat", "caught_up", "gap")
    assert all(row["tenant"] == "public" for each in client.of("update") for row in each["data"])
